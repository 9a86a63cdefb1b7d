// Masks secrets in source lines of a configuration: excerpts end up in CI logs. Works on text alone, because a file with
// a syntax error has no values. Thread: main.

import { knownKeys } from '../schema/known-keys.ts';
import { nearestName } from '../problems/nearest-name.ts';
import { metaOf } from '../schema/schema-tree.ts';

/** Preceding lines that are searched for the key of a list or multi-line text. */
const MOST_LINES_BACK = 50;
/** Characters searched in each of them: a line may have megabytes. */
const MOST_CHARACTERS_BACK = 400;

const KEY = /(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*:\s*/g;
const VALUE = /^(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]]*\]?|\{[^}]*\}?|[^,}\]]*)/;
const VARIABLE = /\$\{[A-Za-z_]\w*\}/;

/** Masks the secrets of a line. @param before the preceding lines, nearest first */
export function maskSecrets(line: string, before: Iterable<string>): string {
  const keys = [...line.matchAll(KEY)];
  if (keys.length === 0) return belongsToSecret(line, before) ? stars(line) : line;
  const isWithin = !keys.some(isSecretMatch) && isInSecretMapping(line, before);
  let masked = line;
  for (const match of keys) {
    if (!isWithin && !isSecretMatch(match)) continue;
    const begin = match.index + match[0].length;
    const value = VALUE.exec(line.slice(begin))?.[0] ?? '';
    masked = masked.slice(0, begin) + stars(value) + masked.slice(begin + value.length);
  }
  return masked;
}

function isSecretMatch(match: RegExpMatchArray): boolean {
  return isSecretKey(match[1] ?? match[2] ?? match[3] ?? '');
}

/** Whether a line is an entry of a mapping that is secret as a whole: the nearest line above with less indentation. */
function isInSecretMapping(line: string, before: Iterable<string>): boolean {
  const indent = line.search(/\S/);
  let count = 0;
  for (const earlier of before) {
    if (++count > MOST_LINES_BACK) return false;
    const at = earlier.search(/\S/);
    if (at < 0 || at >= indent) continue;
    const key = [...earlier.slice(-MOST_CHARACTERS_BACK).matchAll(KEY)].at(-1);
    return key !== undefined && isSecretMatch(key);
  }
  return false;
}

/** Whether a line without a key continues the value of a secret. */
function belongsToSecret(line: string, before: Iterable<string>): boolean {
  if (line.trim() === '') return false;
  let count = 0;
  for (const earlier of before) {
    if (++count > MOST_LINES_BACK) return false;
    const key = [...earlier.slice(-MOST_CHARACTERS_BACK).matchAll(KEY)].at(-1);
    if (key !== undefined) return isSecretKey(key[1] ?? key[2] ?? key[3] ?? '');
  }
  return false;
}

/** Masks a text of the same length, so that columns are preserved; YAML punctuation and variables are kept. */
function stars(text: string): string {
  if (VARIABLE.test(text)) return text;
  return text.replaceAll(/[^\s[\]{},"'|>-]/g, '*');
}

let words: { readonly secret: ReadonlySet<string>; readonly other: ReadonlySet<string> } | undefined;

function wordsOfSchema(): NonNullable<typeof words> {
  if (words !== undefined) return words;
  const secret = new Set<string>();
  const other = new Set<string>();
  for (const { path, schema } of knownKeys()) {
    (metaOf(schema).isSecret === true ? secret : other).add(path.slice(path.lastIndexOf('.') + 1));
  }
  words = { secret, other };
  return words;
}

/** Whether a key is secret in the schema, or looks like a misspelt secret key. */
function isSecretKey(key: string): boolean {
  const { secret, other } = wordsOfSchema();
  if (secret.has(key)) return true;
  if (other.has(key)) return false;
  return /secret|token|passw/i.test(key) || nearestName(key, [...secret]) !== undefined;
}
