// The Date field of responses that have none (RFC 9110 section 6.6.1), made once a second. Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import { type FieldLines, fieldLine, NO_LINES } from '../../http1/field-line.ts';

const SECOND_MS = 1000;

export class DateLine {
  readonly #clock: Clock;
  #second = Number.NaN;
  #line: FieldLines = NO_LINES;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get line(): FieldLines {
    const second = Math.floor(this.#clock.wallMs() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = fieldLine('Date', new Date(second * SECOND_MS).toUTCString());
    }
    return this.#line;
  }
}
