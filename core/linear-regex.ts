// Regular expressions that match in time linear in the text (RE2's syntax), so that no request can stall a worker (ReDoS).
// The library is loaded at the first use: threads that match none don't pay for it. Thread: both.

import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { type ParsedOption, quoted } from './option-schema.ts';

const MAX_CHARACTERS = 1000;

export interface LinearRegex {
  /** Whether any part of the text matches. */
  test(text: string): boolean;
  /** Replaces the first match. @returns null where nothing matches */
  replace(text: string, replacement: Replacement): string | null;
}

/** Literal texts, and numbers of groups in their place; 0 is the whole match. */
export type Replacement = readonly (string | number)[];

let library: typeof RE2JS | null = null;

function load(): typeof RE2JS {
  library ??= (createRequire(import.meta.url)('re2js') as { RE2JS: typeof RE2JS }).RE2JS;
  return library;
}

/** @throws Error for a malformed expression; validation of the configuration rules this out */
export function linearRegex(source: string): LinearRegex {
  const compiled = load().compile(source);
  return {
    test: (text) => compiled.test(text),
    replace(text, replacement) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return null;
      const parts = replacement.map((part) => (typeof part === 'string' ? part : (matcher.group(part) ?? '')));
      return text.slice(0, matcher.start()) + parts.join('') + text.slice(matcher.end());
    },
  };
}

/** Parses a regular expression. The value is its source. */
export function parseLinearRegex(text: string): ParsedOption<string> {
  const found = groupsOf(text);
  return found.ok ? { ok: true, value: text } : found;
}

/** The number of groups of an expression. */
export function groupsOf(text: string): ParsedOption<number> {
  if (text === '') return { ok: false, message: 'the regular expression is empty' };
  if (text.length > MAX_CHARACTERS) {
    return { ok: false, message: `the regular expression is longer than ${MAX_CHARACTERS} characters` };
  }
  try {
    return { ok: true, value: load().compile(text).groupCount() };
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, '');
    const hint = /\(\?[=!<]|\\\d/.test(text) ? '; lookarounds and backreferences cannot be matched in linear time' : '';
    return { ok: false, message: `${quoted(text)} is not a regular expression: ${reason}${hint}` };
  }
}
