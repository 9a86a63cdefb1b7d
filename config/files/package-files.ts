// Paths of the package's data files, both from sources and from the compiled package. Thread: main.

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

/** Compiled files are one directory deeper: dist/. */
const ROOT = new URL(extname(import.meta.filename) === '.ts' ? '../../' : '../../../', import.meta.url);

/** URL of a package file. @param path relative to the package root */
export function packageFile(path: string): URL {
  return new URL(path, ROOT);
}

/** The version of this Fairlead. */
export async function readVersion(): Promise<string> {
  return (JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
