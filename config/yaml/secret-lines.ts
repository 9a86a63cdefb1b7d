// Stars in place of secrets in lines of a configuration, broken or not: what is shown of a file ends in logs of build
// servers. Works on text alone, for a file with a syntax error has no values yet. Thread: main.

import { knownKeys } from '../schema/known-keys.ts';
import { nearestName } from '../problems/nearest-name.ts';
import { metaOf } from '../schema/schema-tree.ts';

/** Lines that are looked back on for the key of a list or a text of several lines. */
const MOST_LINES_BACK = 50;
/** Of each of them: a line may have megabytes. */
const MOST_CHARACTERS_BACK = 400;

const KEY = /(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*:\s*/g;
const VALUE = /^(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]]*\]?|[^,}\]]*)/;
const VARIABLE = /\$\{[A-Za-z_]\w*\}/;

/** @param before the lines before this one, the nearest first. */
export function maskSecrets(line: string, before: Iterable<string>): string {
  const keys = [...line.matchAll(KEY)];
  if (keys.length === 0) return belongsToSecret(line, before) ? stars(line) : line;
  let masked = line;
  for (const match of keys) {
    if (!isSecretKey(match[1] ?? match[2] ?? match[3] ?? '')) continue;
    const begin = match.index + match[0].length;
    const value = VALUE.exec(line.slice(begin))?.[0] ?? '';
    masked = masked.slice(0, begin) + stars(value) + masked.slice(begin + value.length);
  }
  return masked;
}

/** Whether a line without a key of its own goes on with the value of a secret. */
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

/** As long as before, so that columns stay; signs of YAML and variables are no secret. */
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

/** Keys that the schema calls secret, and what looks like one of them mistyped. */
function isSecretKey(key: string): boolean {
  const { secret, other } = wordsOfSchema();
  if (secret.has(key)) return true;
  if (other.has(key)) return false;
  return /secret|token|passw/i.test(key) || nearestName(key, [...secret]) !== undefined;
}
