// The regular expression that a heartbeat's body must match: whether it is one, and whether it may take very long.
// Thread: main.

import { quoted, type ParsedOption } from '../../core/option-schema.ts';

const MAX_CHARACTERS = 1000;

/** Accepts a regular expression as JavaScript has them, with the flag u. The value is its source. */
export function parseBodyPattern(text: string): ParsedOption<string> {
  if (text === '') return { ok: false, message: 'the regular expression is empty: leave the key out to take any body' };
  if (text.length > MAX_CHARACTERS) {
    return { ok: false, message: `the regular expression is longer than ${MAX_CHARACTERS} characters` };
  }
  try {
    return { ok: true, value: new RegExp(text, 'u').source };
  } catch (error) {
    const reason = (error as Error).message.replace(/^.*: /s, '').toLowerCase();
    return { ok: false, message: `${quoted(text)} is not a regular expression: ${reason}` };
  }
}

/** `*`, `+`, `{2,}` and the like: what repeats often enough to matter. */
const REPEAT = /[*+]|\{\d+,(?:\d{2,})?\}/y;

/**
 * Whether a well-formed pattern repeats something that repeats by itself, as in `(a+)+`. Such patterns are what takes
 * exponential time on a text that almost matches (ReDoS); many of them never do, so that this is a reason to look, not
 * a verdict. Choices that overlap, as in `(a|a)*`, aren't seen.
 */
export function hasNestedRepeat(pattern: string): boolean {
  const outer: boolean[] = [];
  let repeats = false;
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at];
    if (sign === '\\') at++;
    else if (sign === '[') at = endOfClass(pattern, at);
    else if (sign === '(') {
      outer.push(repeats);
      repeats = false;
    } else if (sign === ')') {
      if (repeats && isRepeatAt(pattern, at + 1)) return true;
      const before = outer.pop() ?? false;
      repeats ||= before;
    } else if (isRepeatAt(pattern, at)) repeats = true;
  }
  return false;
}

function isRepeatAt(pattern: string, at: number): boolean {
  REPEAT.lastIndex = at;
  return REPEAT.test(pattern);
}

/** Of a class of characters such as `[a-z+]`: the place of its `]`. */
function endOfClass(pattern: string, begin: number): number {
  let at = begin + 1;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return at;
}
