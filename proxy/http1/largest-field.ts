// Names the largest field of a head that was too large, for the log: what to shorten, never what it says. Thread: both.

import { isFieldName } from './field-line.ts';

/** Longer names are cut, so that a log line stays one. */
const MAX_NAME = 64;

/**
 * The name of the longest field line in `bytes` from `start` to `end`, which need not be a whole head; '' where there is
 * no field. The first line doesn't count. For refusals only: it makes strings.
 */
export function largestFieldName(bytes: Buffer, start: number, end: number): string {
  const lines = bytes.toString('latin1', start, end).split('\r\n').slice(1);
  let largest = '';
  for (const line of lines) {
    const name = line.slice(0, Math.max(0, line.indexOf(':')));
    if (line.length > largest.length && isFieldName(name)) largest = line;
  }
  return largest.slice(0, Math.min(MAX_NAME, Math.max(0, largest.indexOf(':'))));
}
