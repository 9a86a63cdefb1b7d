// Compiles the action `files` of a route, and checks that its directory and its fallback exist. Thread: main.

import { statSync } from 'node:fs';
import path from 'node:path';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import type { FilesAction } from '../../core/snapshot/route.ts';
import type { FilesConfig } from '../schema/schema-files.ts';

export function compileFiles(files: FilesConfig, { directory, report }: CompileContext): FilesAction {
  const { root, spaFallback = '', cacheControl = [], ...rest } = files;
  const absolute = path.resolve(directory, root);
  const isDirectory = kindOf(absolute)?.isDirectory();
  if (isDirectory !== true) {
    const state = isDirectory === undefined ? 'does not exist' : 'is a file';
    const message = `the directory ${root} ${state}: name the directory of the files`;
    report({ code: 'FL4001', message, path: ['files', 'root'] });
  } else if (spaFallback !== '' && kindOf(path.join(absolute, spaFallback))?.isFile() !== true) {
    const message = `there is no file ${spaFallback} in ${root}`;
    report({ code: 'FL4001', message, path: ['files', 'spaFallback'] });
  }
  return { kind: 'files', files: { ...rest, root: absolute, spaFallback, cacheControl } };
}

function kindOf(name: string) {
  try {
    return statSync(name, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
