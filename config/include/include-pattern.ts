// Patterns of `include`: a file, or all files of a folder whose names match. Thread: main.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { statsAt } from '../files/path-kind.ts';
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

/**
 * Absolute paths of the files that a pattern matches, sorted by name, and of links without a target: a site must not vanish because its link is
 * broken. Directories, and names that begin with a dot, never match. @throws Error of the system where the directory can't be read
 */
export function filesMatching(pattern: string): string[] {
  const folder = path.dirname(pattern);
  const expression = expressionOf(path.basename(pattern));
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.') && expression.test(name))
    .map((name) => path.join(folder, name))
    .filter((file) => statsAt(file)?.isDirectory() !== true)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function expressionOf(wildcards: string): RegExp {
  const literal = wildcards.replaceAll(/[$()+.\\^|]/g, String.raw`\$&`);
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}
