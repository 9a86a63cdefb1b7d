// An endpoint's response head over scanned bytes, for a client side that uses it at once. Thread: worker.

import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../http1/encoder.ts';
import { type FieldLines, NO_LINES } from '../http1/field-line.ts';
import { Framing } from '../http1/framing.ts';
import { MessageHead } from '../http1/message-head.ts';

const NOT_FORWARDED = ALWAYS_CUT | FRAMING_KINDS;
const NO_CONTENT = 204;

/** A head as encoded for a client, and its inputs beside the endpoint's own head. */
export interface WrittenHead {
  text: string;
  /** Whether the text is in one piece. */
  isFlat: boolean;
  extra: FieldList;
  framing: number;
  persistence: FieldLines;
  date: FieldLines;
}

/** A head as encoded for an HTTP/2 client, and its inputs beside the endpoint's own head. */
export interface WrittenBlock {
  /** Null where there is none. */
  bytes: Uint8Array | null;
  extra: FieldList;
  date: FieldLines;
}

/** One per connection, reused for each response: valid only during the event that brings it. */
export class ScannedResponseHead implements ResponseHead {
  readonly message: MessageHead = new MessageHead();
  readonly framing: Framing = new Framing();
  /** The encoding of the last head, reused while the endpoint repeats that head. */
  readonly written: WrittenHead = {
    text: '',
    isFlat: false,
    extra: [],
    framing: 0,
    persistence: NO_LINES,
    date: NO_LINES,
  };

  readonly block: WrittenBlock = { bytes: null, extra: [], date: NO_LINES };

  /** Invalidates the encodings: another head has been scanned. */
  forget(): void {
    this.written.text = '';
    this.block.bytes = null;
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
    return this.message.fieldList(NOT_FORWARDED);
  }
}
