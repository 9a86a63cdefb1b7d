// An endpoint's response head over the bytes that were scanned, for a client side that uses it at once. Thread: worker.

import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../http1/encoder.ts';
import { type FieldLines, NO_LINES } from '../http1/field-line.ts';
import { Framing } from '../http1/framing.ts';
import { MessageHead } from '../http1/message-head.ts';

const NOT_PASSED = ALWAYS_CUT | FRAMING_KINDS;
const NO_CONTENT = 204;

/** A head as it was written to a client, and all that it depended on beside the endpoint's own head. */
export interface WrittenHead {
  text: string;
  /** Whether the text is in one piece. */
  isFlat: boolean;
  extra: FieldList;
  framing: number;
  persistence: FieldLines;
  date: FieldLines;
}

/** One a connection, used again for each of its responses: valid only during the event that brings it. */
export class ScannedResponseHead implements ResponseHead {
  readonly message: MessageHead = new MessageHead();
  readonly framing: Framing = new Framing();
  /** Where the same head came before: what was made of it. */
  readonly written: WrittenHead = {
    text: '',
    isFlat: false,
    extra: [],
    framing: 0,
    persistence: NO_LINES,
    date: NO_LINES,
  };

  /** Another head has been scanned. */
  forget(): void {
    this.written.text = '';
  }

  get status(): number {
    return this.message.status;
  }

  get reason(): string {
    return this.message.reasonText;
  }

  get hasLength(): boolean {
    return this.#mayHaveBody && this.framing.declaredBytes >= 0;
  }

  get bodyLength(): number {
    if (!this.#mayHaveBody) return 0;
    return this.framing.declaredBytes >= 0 ? this.framing.declaredBytes : UNKNOWN_LENGTH;
  }

  get #mayHaveBody(): boolean {
    return this.message.status >= 200 && this.message.status !== NO_CONTENT;
  }

  field(name: string): string | undefined {
    return this.message.field(name);
  }

  endToEndFields(): FieldList {
    return this.message.fieldList(NOT_PASSED);
  }
}
