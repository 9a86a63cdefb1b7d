// Patterns of `include`: a file, or all files of a folder whose names match. Thread: main.

import { globSync, statSync } from 'node:fs';
import path from 'node:path';
import { quoted, type Parsed } from '../values/parsed.ts';

/** Parses a pattern. Wildcards stay within one folder, so that a mistake can't read a whole disk. */
export function parseIncludePattern(text: string): Parsed<string> {
  const refuse = (why: string): Parsed<string> => ({
    ok: false,
    message: `${quoted(text)} is not a file or pattern: ${why}`,
  });
  if (text === '' || text.includes('\0')) return refuse('write a path such as conf.d/*.yaml');
  if (text.includes('**')) return refuse('** is not supported; write one pattern for each folder');
  if (/[[\]{}!]/.test(text)) return refuse('of the wildcards only * and ? are supported');
  if (/[*?]/.test(path.dirname(text))) return refuse('wildcards are allowed in the last part of the path only');
  return { ok: true, value: text };
}

export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** Absolute paths of the files that a pattern matches, sorted by name. Names that begin with a dot never match. */
export function filesMatching(pattern: string): string[] {
  const folder = path.dirname(pattern);
  const names = globSync(path.basename(pattern), { cwd: folder });
  return names
    .filter((name) => !name.startsWith('.') && isFile(path.join(folder, name)))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => path.join(folder, name));
}

export function isFolder(absolute: string): boolean {
  return statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(absolute: string): boolean {
  return statSync(absolute, { throwIfNoEntry: false })?.isFile() === true;
}
