// Text of a configuration file with its line positions. Thread: main.

import { LineCounter } from 'yaml';
import { excerptOf } from '../problems/excerpt.ts';
import type { Excerpt, Span } from '../problems/problem.ts';

/** Range of the text: [begin, end), in UTF-16 units. */
export type TextRange = readonly [begin: number, end: number];

/** A text and its line starts. The full YAML parser fills `lines` while it reads. */
export class SourceText {
  readonly text: string;
  /** Name of the file in messages. */
  readonly file: string;
  readonly lines = new LineCounter();
  readonly #lineEnds = new Map<number, number>();

  constructor(text: string, file = '') {
    this.text = text;
    this.file = file;
    this.lines.addNewLine(0);
  }

  /** Fills `lines`, for a text that the full parser does not read. */
  addLines(): void {
    for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
      this.lines.addNewLine(at + 1);
  }

  /** The part of a range in its first line, as a span of at least one character. */
  spanOf([begin, end]: TextRange): Span {
    const { line, col } = this.lines.linePos(begin);
    const lineEnd = this.#lineEnd(line, begin);
    const visible = this.text.slice(begin, Math.min(end, lineEnd)).trimEnd();
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, visible.length) };
  }

  /** End of the line that contains `offset`; cached, because a file may be one line of megabytes. */
  #lineEnd(line: number, offset: number): number {
    const known = this.#lineEnds.get(line);
    if (known !== undefined) return known;
    const newline = this.text.indexOf('\n', offset);
    const end = newline === -1 ? this.text.length : newline;
    this.#lineEnds.set(line, end);
    return end;
  }

  /** The source excerpt for a span. */
  excerptAt(span: Span): Excerpt {
    const begin = this.lines.lineStarts[span.line - 1] ?? 0;
    return excerptOf(this.lineAt(begin), span, this.#linesBefore(begin));
  }

  *#linesBefore(offset: number): Generator<string, void> {
    for (let at = offset - 1; at > 0; at = this.text.lastIndexOf('\n', at - 1)) yield this.lineAt(at - 1);
  }

  /** The whole line that contains `offset`. */
  lineAt(offset: number): string {
    const begin = this.text.lastIndexOf('\n', offset - 1) + 1;
    const newline = this.text.indexOf('\n', offset);
    return this.text.slice(begin, newline === -1 ? undefined : newline).trimEnd();
  }
}
