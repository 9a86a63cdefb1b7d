// Durations as they are written in the configuration: `500ms`, `2s`, `5m`. Thread: main.

import { quoted, type Parsed } from './parsed.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest that Node's timers can wait: 2^31 - 1 ms, almost 25 days. */
const LONGEST_MS = 2_147_483_647;

const NEAR_UNITS: Readonly<Record<string, string>> = {
  msec: 'ms',
  millis: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};

/** Reads a duration: a number, with a fraction if need be, and one unit of ms, s, m, h, d. The value is in whole ms. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text);
  if (match === null) return fault(text, /^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : undefined);
  const [, digits = '', unit = ''] = match;
  const scale = UNITS_MS[unit];
  if (scale === undefined || text.includes(' ')) return fault(text, nearest(digits, unit.toLowerCase()));
  const ms = Number(digits) * scale;
  if (Math.abs(ms - Math.round(ms)) > 1e-6)
    return { ok: false, message: `${quoted(text)} is not a whole number of milliseconds` };
  if (ms > LONGEST_MS) return { ok: false, message: `${quoted(text)} is too long: the longest duration is 24d` };
  return { ok: true, value: Math.round(ms) };
}

function nearest(digits: string, unit: string): string | undefined {
  const known = UNITS_MS[unit] === undefined ? NEAR_UNITS[unit] : unit;
  return known === undefined ? undefined : digits + known;
}

function fault(text: string, suggestion: string | undefined): Parsed<number> {
  const hint = suggestion === undefined ? ', such as 2s or 500ms' : `; did you mean ${suggestion}?`;
  const message = `${quoted(text)} is not a duration: write a number and one of the units ms, s, m, h, d${hint}`;
  return { ok: false, message, suggestion };
}

/** Writes milliseconds with the largest unit that leaves a whole number. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const scale = UNITS_MS[unit] ?? 1;
    if (ms >= scale && ms % scale === 0) return `${ms / scale}${unit}`;
  }
  return `${ms}ms`;
}
