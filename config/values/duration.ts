// Durations as written in the configuration: `500ms`, `2s`, `5m`. Thread: main.

import { quoted, type Parsed } from './parsed.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longest delay of Node's timers: 2^31 - 1 ms, almost 25 days. */
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
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};
const DAYS_PER_WEEK = 7;

/** Parses a duration: a number, optionally with a fraction, and one of the units ms, s, m, h, d. The value is in whole ms. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text);
  if (match === null) return fault(text, meantBy(text));
  const [, digits = '', unit = ''] = match;
  const scale = UNITS_MS[unit];
  if (scale === undefined || text.includes(' ')) return fault(text, nearest(digits, unit.toLowerCase()));
  const ms = Number(digits) * scale;
  if (Math.abs(ms - Math.round(ms)) > 1e-6)
    return { ok: false, message: `${quoted(text)} is not a whole number of milliseconds` };
  if (ms > LONGEST_MS) return { ok: false, message: `${quoted(text)} is too long: the longest duration is 24d` };
  return { ok: true, value: Math.round(ms) };
}

/** Suggestion for a bare number (milliseconds from 1000 up, seconds below) or a sum of several units. */
function meantBy(text: string): string | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) >= 1000 && !text.includes('.') ? `${text}ms` : `${text}s`;
  if (/^\.\d+ ?[a-z]+$/i.test(text)) return meantBy(`0${text}`);
  const parts = [...text.toLowerCase().matchAll(/(\d+(?:\.\d+)?) ?([a-z]+) ?/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.toLowerCase()) return undefined;
  let ms = 0;
  for (const [, digits = '', unit = ''] of parts)
    ms += Number(digits) * (UNITS_MS[NEAR_UNITS[unit] ?? unit] ?? Number.NaN);
  return Number.isInteger(ms) && ms > 0 ? formatDuration(ms) : undefined;
}

function nearest(digits: string, unit: string): string | undefined {
  if (/^w(?:eeks?)?$/.test(unit)) return `${Number(digits) * DAYS_PER_WEEK}d`;
  const known = UNITS_MS[unit] === undefined ? NEAR_UNITS[unit] : unit;
  return known === undefined ? undefined : digits + known;
}

function fault(text: string, suggestion: string | undefined): Parsed<number> {
  const hint = suggestion === undefined ? ', such as 2s or 500ms' : `; did you mean ${suggestion}?${otherUnit(text)}`;
  const message = `${quoted(text)} is not a duration: write a number and one of the units ms, s, m, h, d${hint}`;
  return { ok: false, message, suggestion };
}

/** The other reading of a number without a unit. */
export function otherUnit(text: string): string {
  if (!/^\d+$/.test(text)) return '';
  return Number(text) >= 1000 ? ` Or ${text}s?` : ` Or ${text}ms?`;
}

/** Formats milliseconds with the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const scale = UNITS_MS[unit] ?? 1;
    if (ms >= scale && ms % scale === 0) return `${ms / scale}${unit}`;
  }
  return `${ms}ms`;
}
