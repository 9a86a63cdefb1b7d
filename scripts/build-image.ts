// Builds the container image without a container engine: an OCI archive that `docker load`, `podman load` and
// `skopeo copy oci-archive:FILE` read. For the architecture of this machine, or for several, which needs Debian's apt-get.
// Linux only; the Dockerfile is for everything else.
// Usage: npm run build && node scripts/build-image.ts [--architectures amd64,arm64] [--output FILE]. Thread: main.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IMAGE_CONFIG } from './image/image-config.ts';
import {
  type Architecture,
  ARCHITECTURES,
  foreignPrograms,
  nativeArchitecture,
  nativePrograms,
} from './image/image-programs.ts';
import { type PlatformImage, writeImage } from './image/oci-layout.ts';
import { writeRootFiles } from './image/root-files.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run build && npm run image -- [--architectures amd64,arm64] [--output FILE]
Builds the container image as an OCI archive, for the architecture of this machine or for several.`;

const ROOT = path.resolve(import.meta.dirname, '..');

function main(): void {
  const native = nativeArchitecture();
  const { values } = readArguments(USAGE, { architectures: { type: 'string' }, output: { type: 'string' } });
  const architectures = architecturesOf(values.architectures ?? native);
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const name = ['fairlead', version, ...(architectures.length === 1 ? architectures : [])].join('-');
  const output = path.resolve(values.output ?? `${name}.oci.tar`);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-image-'));
  try {
    const images = architectures.map((architecture) => imageOf(architecture, folder, native));
    const layout = path.join(folder, 'layout');
    const reference = `fairlead:${version}`;
    const digest = writeImage({ images, layout, reference, config: IMAGE_CONFIG });
    execFileSync('tar', ['-C', layout, '-cf', output, 'oci-layout', 'index.json', 'blobs']);
    console.log(`wrote ${output}: ${reference} for ${architectures.join(' and ')}, ${digest}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function architecturesOf(list: string): Architecture[] {
  const names = [...new Set(list.split(','))].toSorted();
  const known = ARCHITECTURES.filter((name) => names.includes(name));
  if (known.length === names.length) return known;
  throw new Error(`--architectures ${list}: write one or more of ${ARCHITECTURES.join(', ')}, separated by commas`);
}

function imageOf(architecture: Architecture, folder: string, native: Architecture): PlatformImage {
  const downloads = path.join(folder, `${architecture}-downloads`);
  mkdirSync(downloads);
  const isNative = architecture === native;
  const programs = isNative ? nativePrograms(process.execPath) : foreignPrograms(architecture, downloads);
  const root = path.join(folder, architecture);
  writeRootFiles({ source: ROOT, programs, root });
  return { architecture, root };
}

main();
