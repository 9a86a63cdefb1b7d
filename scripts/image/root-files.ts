// The file system of the container image: Node with the shared libraries that it needs, and Fairlead with its packages.
// Thread: main.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export interface RootFilesOptions {
  /** The checkout, with `dist/` built. */
  readonly source: string;
  /** Program of the Node to copy. */
  readonly node: string;
  /** Folder to fill; must be empty. */
  readonly root: string;
}

/** User and group without a name on the host, as in the Dockerfile. */
const USER = 65_532;
const HOME = 'opt/fairlead';
const COPIED = ['package.json', 'fairlead.schema.json', 'dist', 'examples'];

/** Fills the folder. @throws Error where `dist/` or a program is missing */
export function writeRootFiles({ source, node, root }: RootFilesOptions): void {
  if (!existsSync(path.join(source, 'dist'))) throw new Error('dist/ is missing: run npm run build');
  for (const folder of ['tmp', 'etc/fairlead', 'usr/local/bin', 'usr/bin', HOME]) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  chmodSync(path.join(root, 'tmp'), 0o1777);
  writeFileSync(path.join(root, 'etc/passwd'), `root:x:0:0::/:/\nfairlead:x:${USER}:${USER}::/tmp:/\n`);
  writeFileSync(path.join(root, 'etc/group'), `root:x:0:\nfairlead:x:${USER}:\n`);
  writeFileSync(path.join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  // The first line of the command names env, which finds Node.
  copyProgram(realpathSync(node), path.join(root, 'usr/local/bin/node'), root);
  copyProgram('/usr/bin/env', path.join(root, 'usr/bin/env'), root);
  for (const name of COPIED) cpSync(path.join(source, name), path.join(root, HOME, name), { recursive: true });
  for (const folder of productionPackages(source)) {
    const name = path.relative(source, folder);
    cpSync(folder, path.join(root, HOME, name), { recursive: true, filter: (from) => isOfPackage(folder, from) });
  }
  chmodSync(path.join(root, HOME, 'dist/bin/fairlead.js'), 0o755);
  symlinkSync(`/${HOME}/dist/bin/fairlead.js`, path.join(root, 'usr/local/bin/fairlead'));
}

/** Packages within a package are listed, and copied, on their own. */
function isOfPackage(folder: string, from: string): boolean {
  return !path.relative(folder, from).split(path.sep).includes('node_modules');
}

/** Folders of the packages that the program needs at run time. */
function productionPackages(source: string): string[] {
  const args = ['ls', '--omit=dev', '--all', '--parseable'];
  const listed = execFileSync('npm', args, { cwd: source, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return listed.split('\n').filter((folder) => folder.includes(`${path.sep}node_modules${path.sep}`));
}

/** Copies a program, and its libraries to where its loader looks for them. */
function copyProgram(from: string, to: string, root: string): void {
  copyFileSync(from, to);
  const libraries = execFileSync('ldd', [from], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  for (const [, library] of libraries) {
    const target = path.join(root, library!);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(library!, target);
  }
}
