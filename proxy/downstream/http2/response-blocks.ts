// Header blocks of responses: that of a repeated head is encoded once. Thread: worker.

import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { NO_LINES } from '../../http1/field-line.ts';
import { FieldKind } from '../../http1/field-kind.ts';
import { ResponseBlockEncoder } from '../../http2/response-block.ts';
import { ScannedResponseHead } from '../../wire/scanned-response-head.ts';
import type { DateLine } from '../http1/response-encoder.ts';

const NO_CONTENT = 204;

/** One per worker. */
export class ResponseBlocks {
  readonly #encoder = new ResponseBlockEncoder();
  readonly #date: DateLine;

  constructor(date: DateLine) {
    this.#date = date;
  }

  /**
   * Encodes an interim or final head.
   * @param extra fields in addition to the head's own
   * @returns the block, valid until the next call
   */
  head(head: ResponseHead, extra: FieldList): Uint8Array {
    return head instanceof ScannedResponseHead ? this.#scanned(head, extra) : this.#encode(head, extra);
  }

  /** Encodes trailers. @returns null where none may be sent */
  trailers(fields: FieldList): Uint8Array | null {
    return this.#encoder.trailers(fields);
  }

  #scanned(head: ScannedResponseHead, extra: FieldList): Uint8Array {
    const { block } = head;
    const date = head.message.has(FieldKind.DATE) ? NO_LINES : this.#date.line;
    if (block.bytes !== null && block.extra === extra && block.date === date) return block.bytes;
    block.bytes = this.#encode(head, extra).slice();
    block.extra = extra;
    block.date = date;
    return block.bytes;
  }

  #encode(head: ResponseHead, extra: FieldList): Uint8Array {
    const { status } = head;
    const fields = [...head.endToEndFields(), ...extra];
    if (status < 200) return this.#encoder.head(status, fields, -1);
    if (head.field('date') === undefined) fields.push('date', this.#date.value);
    const hasLength = head.hasLength && status !== NO_CONTENT;
    return this.#encoder.head(status, fields, hasLength ? head.bodyLength : -1);
  }
}
