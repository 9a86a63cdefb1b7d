// Compile cache of V8: later starts of the command and its workers don't strip types from modules and compile them again
// (docs/decisions/0046). Thread: main.

import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that configure Node's own cache, or ask for coverage, which is less precise with it. */
const LEFT_TO_NODE = ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'];

const PRIVATE_MODE = 0o700;
const PERMISSION_BITS = 0o777;
const WRITABLE_BY_OTHERS = 0o022;
/** In a directory with this bit, only the owner of an entry can rename or remove it. */
const STICKY = 0o1000;

/** Turns the cache on where there is a safe place for it. Never fails: the cache only saves time. */
export function useCompileCache(environment: Variables): void {
  if (LEFT_TO_NODE.some((name) => (environment[name] ?? '') !== '')) return;
  const directory = privateCacheDirectory(environment);
  if (directory !== null) enableCompileCache(directory);
}

/**
 * Makes the directory of the cache: in systemd's CacheDirectory=, in $XDG_CACHE_HOME, or in ~/.cache.
 * @returns null where it can't be made, and where another user could change it: its content is run in every later start
 */
export function privateCacheDirectory(environment: Variables): string | null {
  const user = process.getuid?.();
  const wanted = wantedDirectory(environment);
  if (user === undefined || wanted === null) return null;
  try {
    makeFolder(wanted);
    const directory = realpathSync(wanted);
    const { uid, mode } = lstatSync(directory);
    const isPrivate = uid === user && (mode & PERMISSION_BITS) === PRIVATE_MODE;
    return isPrivate && isBelowSafeFolders(directory, user) ? directory : null;
  } catch {
    return null;
  }
}

function wantedDirectory({ CACHE_DIRECTORY = '', XDG_CACHE_HOME = '', HOME = '' }: Variables): string | null {
  const [ofService = ''] = CACHE_DIRECTORY.split(':');
  if (path.isAbsolute(ofService)) return path.join(ofService, 'compiled');
  if (path.isAbsolute(XDG_CACHE_HOME)) return path.join(XDG_CACHE_HOME, 'fairlead/compiled');
  return path.isAbsolute(HOME) ? path.join(HOME, '.cache/fairlead/compiled') : null;
}

/** Makes a directory and those above it. Node's `recursive` never returns where the system refuses one with ENOENT, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  mkdirSync(folder, { mode: PRIVATE_MODE });
}

/** Whether only this user and root can put another directory in the place of this one. */
function isBelowSafeFolders(directory: string, user: number): boolean {
  for (let folder = path.dirname(directory); ; folder = path.dirname(folder)) {
    const { uid, mode } = lstatSync(folder);
    if (uid !== user && uid !== 0) return false;
    if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}
