// Sets of HTTP statuses: `200-399`, `200,204`, `404`. Thread: main.

import { quoted, type Parsed } from './parsed.ts';

/** Reads statuses and ranges, separated by commas. The value is [from, to, from, to, ...], both ends inclusive. */
export function parseStatusRanges(text: string): Parsed<number[]> {
  const ranges: number[] = [];
  for (const part of text.split(',')) {
    const match = /^ *([1-5]\d\d)(?: *- *([1-5]\d\d))? *$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to < from) {
      const message = `${quoted(part.trim())} is not a status or a range of statuses from 100 to 599, such as 200 or 200-399`;
      return { ok: false, message };
    }
    ranges.push(from, to);
  }
  return { ok: true, value: ranges };
}
