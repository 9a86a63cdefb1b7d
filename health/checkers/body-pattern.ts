// Regular expressions for heartbeat bodies: syntax, and detection of catastrophic backtracking. Thread: main.

import { quoted, type ParsedOption } from '../../core/option-schema.ts';

const MAX_CHARACTERS = 1000;

/** Parses a JavaScript regular expression with the flag u. The value is its source. */
export function parseBodyPattern(text: string): ParsedOption<string> {
  if (text === '') return { ok: false, message: 'the regular expression is empty: remove the key to accept any body' };
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

/** Unbounded or large quantifiers: `*`, `+`, `{2,}`. */
const REPEAT = /[*+]|\{\d+,(?:\d{2,})?\}/y;

/**
 * Whether a well-formed pattern has nested quantifiers, as in `(a+)+`. Such a pattern may take exponential time on text
 * that almost matches (ReDoS), though many never do: a warning, not an error. Overlapping alternatives, as in
 * `(a|a)*`, are not detected.
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

/** Index of the `]` that closes a character class such as `[a-z+]`. */
function endOfClass(pattern: string, begin: number): number {
  let at = begin + 1;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return at;
}
