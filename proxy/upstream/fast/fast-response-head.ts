// An endpoint's response head over the bytes that were scanned, for a client side that uses it at once. Thread: worker.

import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../../http1/encoder.ts';
import type { Framing } from '../../http1/framing.ts';
import type { MessageHead } from '../../http1/message-head.ts';

const NOT_PASSED = ALWAYS_CUT | FRAMING_KINDS;
const NO_CONTENT = 204;

/** One a worker: valid only during the event that brings it. */
export class FastResponseHead implements ResponseHead {
  readonly message: MessageHead;
  readonly framing: Framing;

  /** @param message scanned and framed anew before each event, as is `framing` */
  constructor(message: MessageHead, framing: Framing) {
    this.message = message;
    this.framing = framing;
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
