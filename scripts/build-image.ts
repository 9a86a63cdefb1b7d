// Builds the container image without a container engine, for the architecture of this machine: an OCI archive that
// `docker load`, `podman load` and `skopeo copy oci-archive:FILE` read. Linux only; the Dockerfile is for everything else.
// Usage: npm run build && node scripts/build-image.ts [--output FILE]. Thread: main.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { IMAGE_CONFIG } from './image/image-config.ts';
import { writeImage } from './image/oci-layout.ts';
import { writeRootFiles } from './image/root-files.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

function main(): void {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined) {
    throw new Error(`no image for ${process.platform} on ${process.arch}: use the Dockerfile`);
  }
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const options = { output: { type: 'string', default: `fairlead-${version}-${architecture}.oci.tar` } } as const;
  const output = path.resolve(parseArgs({ options }).values.output);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-image-'));
  try {
    const [root, layout] = [path.join(folder, 'root'), path.join(folder, 'layout')];
    writeRootFiles({ source: ROOT, node: process.execPath, root });
    const reference = `fairlead:${version}`;
    const digest = writeImage({ root, layout, architecture, reference, config: IMAGE_CONFIG });
    execFileSync('tar', ['-C', layout, '-cf', output, 'oci-layout', 'index.json', 'blobs']);
    console.log(`wrote ${output}: ${reference} for ${architecture}, ${digest}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
