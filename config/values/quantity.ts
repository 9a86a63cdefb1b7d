// Sizes (`64KiB`, `10MiB`) and shares (`30%`) as written in the configuration. Thread: main.

import { quoted, type Parsed } from './parsed.ts';

const UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Parses a size: a number, optionally with a fraction, and one of the units B, KiB, MiB, GiB, TiB. The value is in bytes. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text);
  if (match === null) return fault(text, /^\d+$/.test(text) ? formatSize(Number(text)) : undefined);
  const [, digits = '', unit = ''] = match;
  const scale = UNITS_BYTES[unit];
  if (scale === undefined || text.includes(' ')) return fault(text, nearest(digits, unit));
  const bytes = Number(digits) * scale;
  if (!Number.isSafeInteger(bytes)) return { ok: false, message: `${quoted(text)} is not a whole number of bytes` };
  return { ok: true, value: bytes };
}

/** Suggests 64KiB for `64k`, `64KB` and `64kib`: a single notation leaves no doubt between 1000 and 1024. */
function nearest(digits: string, unit: string): string | undefined {
  const letter = unit.charAt(0).toUpperCase();
  if (letter === 'B') return /^b(?:ytes?)?$/i.test(unit) ? `${digits}B` : undefined;
  return /^[kmgt](?:i?b)?$/i.test(unit) ? `${digits}${letter}iB` : undefined;
}

function fault(text: string, suggestion: string | undefined): Parsed<number> {
  const hint = suggestion === undefined ? ', such as 64KiB' : `; did you mean ${suggestion}?`;
  const message = `${quoted(text)} is not a size: write a number and one of the units B, KiB, MiB, GiB${hint}`;
  return { ok: false, message, suggestion };
}

/** Formats bytes with the largest unit that gives a whole number. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const scale = UNITS_BYTES[unit] ?? 1;
    if (bytes >= scale && bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return `${bytes}B`;
}

/** Parses a number with a percent sign. The value is in percent: 30 for `30%`. */
export function parsePercent(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)( ?)%$/.exec(text);
  if (match?.[2] === '') return { ok: true, value: Number(match[1]) };
  const digits = match?.[1] ?? /^\d+(?:\.\d+)?$/.exec(text)?.[0];
  const suggestion = digits === undefined ? undefined : percentFor(Number(digits), match !== null);
  const hint = suggestion === undefined ? ', such as 30%' : `; did you mean ${suggestion}?`;
  return {
    ok: false,
    message: `${quoted(text)} is not a percentage: write a number and a percent sign${hint}`,
    suggestion,
  };
}

/** Reads a bare number below one as a fraction. */
function percentFor(number: number, hasSign: boolean): string {
  return hasSign || number >= 1 ? `${number}%` : `${Number((number * 100).toPrecision(12))}%`;
}
