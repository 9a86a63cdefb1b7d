// Node and its shared libraries for the container image: those of this machine, or for another architecture the npm package
// of that Node with the libraries of Debian's cross packages. Thread: main.

import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { elfNeeds } from './elf-needs.ts';

/** Architectures of images, as OCI names them. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** A file of this machine, and its path in the image, without the leading slash. */
export interface CopiedFile {
  readonly from: string;
  readonly to: string;
}

interface Platform {
  /** As `process.arch` and the names of npm packages have it. */
  readonly nodeName: string;
  readonly triplet: string;
}

const PLATFORMS: Readonly<Record<Architecture, Platform>> = {
  amd64: { nodeName: 'x64', triplet: 'x86_64-linux-gnu' },
  arm64: { nodeName: 'arm64', triplet: 'aarch64-linux-gnu' },
};
const NODE_PATH = 'usr/local/bin/node';
/** Debian packages with the libraries of Node; they are for every architecture that builds, and need no root. */
const LIBRARY_PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];

/** @throws Error on another system than Linux, and on architectures without an image */
export function nativeArchitecture(): Architecture {
  const found = ARCHITECTURES.find((name) => PLATFORMS[name].nodeName === process.arch);
  if (process.platform === 'linux' && found !== undefined) return found;
  throw new Error(`no image for ${process.platform} on ${process.arch}: use the Dockerfile`);
}

/** Node of this machine. @param node its program */
export function nativePrograms(node: string): CopiedFile[] {
  const program = realpathSync(node);
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  const copied = [...libraries].map(([, library]) => ({ from: library!, to: library!.slice(1) }));
  return [{ from: program, to: NODE_PATH }, ...copied];
}

/**
 * Node of another architecture, in the version that runs here. npm verifies its package, apt the Debian packages.
 * @param folder for downloads
 * @throws Error where a download fails, or a library isn't in the packages
 */
export function foreignPrograms(architecture: Architecture, folder: string): CopiedFile[] {
  const { nodeName, triplet } = PLATFORMS[architecture];
  const libraries = path.join(folder, 'libraries');
  mkdirSync(libraries, { recursive: true });
  const quiet: ExecFileSyncOptions = { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] };
  execFileSync('npm', ['pack', '--silent', `node-linux-${nodeName}@${process.versions.node}`], quiet);
  execFileSync('tar', ['-xzf', fileIn(folder, '.tgz'), 'package/bin/node'], quiet);
  execFileSync('apt-get', ['download', ...LIBRARY_PACKAGES.map((name) => `${name}-${architecture}-cross`)], quiet);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
    execFileSync('dpkg-deb', ['-x', name, libraries], quiet);
  }
  const found = path.join(libraries, 'usr', triplet, 'lib');
  return withLibraries(path.join(folder, 'package/bin/node'), found, triplet);
}

function fileIn(folder: string, extension: string): string {
  const name = readdirSync(folder).find((file) => file.endsWith(extension));
  if (name === undefined) throw new Error(`npm pack wrote no ${extension} file to ${folder}`);
  return name;
}

/**
 * A program, its loader, and its libraries with those that they need in turn, at the places where the loader looks.
 * @param found folder of the libraries
 */
export function withLibraries(program: string, found: string, triplet: string): CopiedFile[] {
  const { interpreter } = elfNeeds(program);
  const copied = new Map<string, string>([[program, NODE_PATH]]);
  const add = (file: string): void => {
    for (const name of elfNeeds(file).libraries) {
      const library = path.join(found, name);
      if (!existsSync(library)) throw new Error(`${file} needs ${name}, which is not in ${found}`);
      if (copied.has(library)) continue;
      copied.set(library, name === path.basename(interpreter) ? interpreter.slice(1) : `lib/${triplet}/${name}`);
      add(library);
    }
  };
  add(program);
  return [...copied].map(([from, to]) => ({ from, to }));
}
