// The file that a route with `files` would send for a request. Thread: main.

import { statSync } from 'node:fs';
import path from 'node:path';
import type { FilesSnapshot } from '../../core/snapshot/route.ts';
import { filePathOf } from '../../proxy/files/file-path.ts';

/** Its path below the root, with a slash at the end for a directory that is redirected to; null where it is 404. */
export function explainedFile(target: string, { root, index, spaFallback, dotFiles }: FilesSnapshot): string | null {
  const found = filePathOf(target, dotFiles);
  if (found === null) return null;
  const { segments, isDirectory } = found;
  const names = isDirectory ? index.map((name) => [...segments, name].join('/')) : [segments.join('/')];
  for (const name of names) {
    const kind = kindOf(path.join(root, name));
    if (kind === 'file') return name;
    if (kind === 'directory' && !isDirectory) return `${name}/`;
  }
  const isView = isDirectory || segments.at(-1)?.includes('.') !== true;
  return spaFallback !== '' && isView ? spaFallback : null;
}

function kindOf(name: string): 'file' | 'directory' | null {
  try {
    const stats = statSync(name);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : null;
  } catch {
    return null;
  }
}
