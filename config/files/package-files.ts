// Where the files of the package are that are not code, from the sources and compiled. Thread: main.

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

/** The compiled files are one folder deeper: dist/. */
const ROOT = new URL(extname(import.meta.filename) === '.ts' ? '../../' : '../../../', import.meta.url);

/** A file of the package, by its path from the package's folder. */
export function packageFile(path: string): URL {
  return new URL(path, ROOT);
}

/** The version of this Fairlead. */
export async function readVersion(): Promise<string> {
  return (JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
