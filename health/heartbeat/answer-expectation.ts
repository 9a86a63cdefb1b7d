// What the answer to an HTTP heartbeat must hold besides its status: fields, and a body that matches a pattern. Pure.
// Thread: main.

import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';

/** Of a body this much is held against the pattern (docs/algorithms.md 2.2). */
export const PATTERN_BYTES = 16_384;

/** Fields as undici gives them: names in lower case, several lines of one name as a list. */
export type AnswerFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What of an answer with a good status isn't as expected, in words; '' when everything is. */
export function unmetExpectation(heartbeat: HeartbeatSnapshot, fields: AnswerFields, body: Uint8Array): string {
  const { expectedFields, bodyPattern } = heartbeat;
  for (let i = 0; i + 1 < expectedFields.length; i += 2) {
    const name = expectedFields[i]!;
    const values = valuesOf(fields, name);
    if (values.length === 0) return `without ${name}`;
    if (!values.includes(expectedFields[i + 1]!)) return `with another ${name}`;
  }
  if (bodyPattern === '') return '';
  // A cut in the midst of a character must not make the pattern fail by itself: no error, a replacement character.
  const text = new TextDecoder().decode(body.subarray(0, PATTERN_BYTES));
  return new RegExp(bodyPattern, 'u').test(text) ? '' : 'with a body that does not match';
}

/** The lines of a field, without blanks around their values. */
export function valuesOf(fields: AnswerFields, name: string): string[] {
  const value = fields[name];
  if (value === undefined) return [];
  return (typeof value === 'string' ? [value] : value).map((one) => one.trim());
}
