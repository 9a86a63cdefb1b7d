// Source excerpts for problems: truncated around the marked text, with secrets and control characters masked.
// Thread: main.

import type { Excerpt, Span } from './problem.ts';
import { maskSecrets } from '../yaml/secret-lines.ts';

/** Width of an excerpt in columns: with its line number it fits a terminal of 120. */
const MOST_COLUMNS = 100;
/** Columns kept before the mark when a long line is truncated. */
const LEAD_COLUMNS = 40;
const CUT = '...';

/**
 * The excerpt for a span of a line. Secrets are masked and control characters replaced: excerpts end up in logs, and a
 * hostile file must not send escape sequences to the terminal.
 * @param before the preceding lines, nearest first: they determine whether the line continues a secret
 */
export function excerptOf(line: string, span: Span, before: Iterable<string>): Excerpt {
  const begin = Math.min(span.column - 1, line.length);
  const isLong = line.length > 8 * MOST_COLUMNS;
  // A line may have megabytes: distant text is dropped before the expensive steps.
  const from = isLong ? wholeCharacter(line, Math.max(0, begin - 4 * MOST_COLUMNS)) : 0;
  const near = isLong ? line.slice(from, wholeCharacter(line, begin + 4 * MOST_COLUMNS)) : line;
  const text = maskSecrets(near, before).replaceAll(CONTROL, '\ufffd');
  return cut(text, begin - from, Math.min(span.length, Math.max(1, text.length - (begin - from))), from > 0);
}

/** Control characters except tab, and bidirectional overrides (CVE-2021-42574, Trojan Source). */
const CONTROL = /(?!\t)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

function cut(text: string, markBegin: number, markLength: number, isCutBefore: boolean): Excerpt {
  if (columnsOf(text) <= MOST_COLUMNS && !isCutBefore) return { text, markBegin, markLength };
  let begin = markBegin;
  for (let lead = 0; begin > 0 && lead < LEAD_COLUMNS; lead += columnsOf(text.slice(begin, begin + 1))) begin--;
  begin = wholeCharacter(text, begin);
  let end = begin;
  let columns = 0;
  for (const character of text.slice(begin)) {
    columns += columnsOf(character);
    if (columns > MOST_COLUMNS) break;
    end += character.length;
  }
  const head = begin > 0 || isCutBefore ? CUT : '';
  const tail = end < text.length ? CUT : '';
  return {
    text: head + text.slice(begin, end) + tail,
    markBegin: markBegin - begin + head.length,
    markLength: Math.max(1, Math.min(markLength, end - markBegin)),
  };
}

/** Moves an index out of the middle of a surrogate pair. */
function wholeCharacter(text: string, index: number): number {
  return isLowSurrogate(text.charCodeAt(index)) ? index - 1 : index;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Characters that terminals draw two columns wide (Unicode Standard Annex 11, W and F, and emoji). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Zero-width characters. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Width of a text in terminal columns; a tab counts as one. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character < '\u0300') columns += 1;
    else if (!ZERO.test(character)) columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/** The line of carets under an excerpt. Tabs are kept, so that both lines use the same tab stops. */
export function caretLine({ text, markBegin, markLength }: Excerpt): string {
  let line = '';
  for (const character of text.slice(0, markBegin))
    line += character === '\t' ? '\t' : ' '.repeat(columnsOf(character));
  return line + '^'.repeat(Math.max(1, columnsOf(text.slice(markBegin, markBegin + markLength))));
}
