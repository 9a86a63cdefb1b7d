// The file system of the container image: Node with its shared libraries, and Fairlead with its packages.
// Thread: main.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CopiedFile } from './image-programs.ts';

export interface RootFilesOptions {
  /** The checkout, with `dist/` built. */
  readonly source: string;
  /** Node and its libraries. */
  readonly programs: readonly CopiedFile[];
  /** Folder to fill; must be empty. */
  readonly root: string;
}

/** User and group without a name on the host, as in the Dockerfile. */
const USER = 65_532;
const HOME = 'opt/fairlead';
/** The package's own command needs env(1) to find Node. */
const COMMAND = `#!/usr/local/bin/node\nimport('/${HOME}/dist/bin/fairlead.js');\n`;
const COPIED = ['package.json', 'fairlead.schema.json', 'dist', 'examples'];

/** Fills the folder. @throws Error where `dist/` or a program is missing */
export function writeRootFiles({ source, programs, root }: RootFilesOptions): void {
  if (!existsSync(path.join(source, 'dist'))) throw new Error('dist/ is missing: run npm run build');
  for (const folder of ['tmp', 'etc/fairlead', 'usr/local/bin', HOME]) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  chmodSync(path.join(root, 'tmp'), 0o1777);
  writeFileSync(path.join(root, 'etc/passwd'), `root:x:0:0::/:/\nfairlead:x:${USER}:${USER}::/tmp:/\n`);
  writeFileSync(path.join(root, 'etc/group'), `root:x:0:\nfairlead:x:${USER}:\n`);
  writeFileSync(path.join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  for (const { from, to } of programs) copyProgram(from, path.join(root, to));
  for (const name of COPIED) cpSync(path.join(source, name), path.join(root, HOME, name), { recursive: true });
  for (const folder of productionPackages(source)) {
    const name = path.relative(source, folder);
    cpSync(folder, path.join(root, HOME, name), { recursive: true, filter: (from) => isOfPackage(folder, from) });
  }
  writeFileSync(path.join(root, 'usr/local/bin/fairlead'), COMMAND, { mode: 0o755 });
}

/** Packages within a package are listed, and copied, on their own. @throws Error for code of one architecture */
function isOfPackage(folder: string, from: string): boolean {
  if (from.endsWith('.node')) throw new Error(`${from} is compiled for one architecture: an image can't have it`);
  return !path.relative(folder, from).split(path.sep).includes('node_modules');
}

/** Folders of the packages that the program needs at run time. */
function productionPackages(source: string): string[] {
  const args = ['ls', '--omit=dev', '--all', '--parseable'];
  const listed = execFileSync('npm', args, { cwd: source, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return listed.split('\n').filter((folder) => folder.includes(`${path.sep}node_modules${path.sep}`));
}

function copyProgram(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(from, to);
}
