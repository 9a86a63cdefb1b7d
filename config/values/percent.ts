// Shares as they are written in the configuration: `30%`, `0.5%`. Thread: main.

import { quoted, type Parsed } from './parsed.ts';

/** Reads a number with a percent sign. The value is in percent: 30 for `30%`. */
export function parsePercent(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)( ?)%$/.exec(text);
  if (match?.[2] === '') return { ok: true, value: Number(match[1]) };
  const digits = match?.[1] ?? /^\d+(?:\.\d+)?$/.exec(text)?.[0];
  const suggestion = digits === undefined ? undefined : suggestionFor(Number(digits), match !== null);
  const hint = suggestion === undefined ? ', such as 30%' : `; did you mean ${suggestion}?`;
  return { ok: false, message: `${quoted(text)} is not a share: write a number and a percent sign${hint}`, suggestion };
}

/** A bare number below one was meant as a fraction. */
function suggestionFor(number: number, hasSign: boolean): string {
  return hasSign || number >= 1 ? `${number}%` : `${Number((number * 100).toPrecision(12))}%`;
}
