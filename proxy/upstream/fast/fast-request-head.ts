// A request's head over the bytes that the fast client side has scanned: nothing is made of it before it is asked for.
// Thread: worker.

import { type FieldList, type RequestHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../../http1/encoder.ts';
import { FieldKind, kindSet } from '../../http1/field-kind.ts';
import { BodyKind, Framing } from '../../http1/framing.ts';
import { MessageHead } from '../../http1/message-head.ts';
import { InsertedLines } from './inserted-lines.ts';

const NONE_INSERTED = new InsertedLines();
const NOT_END_TO_END = ALWAYS_CUT | FRAMING_KINDS | kindSet(FieldKind.HOST);

/**
 * Reused: scan into `message`, frame into `framing`, then `begin`. Valid until its exchange has ended. A transport that
 * gets one knows that the client's side is the fast one, which uses response heads and chunks within the turn that
 * brings them, and takes events inside `send`.
 */
export class FastRequestHead implements RequestHead {
  readonly message: MessageHead = new MessageHead();
  readonly framing: Framing = new Framing();
  readonly version = '1.1';
  method = '';
  /** Of the connection that the request came on. */
  inserted: InsertedLines = NONE_INSERTED;
  bodyLength = 0;
  #target: string | null = null;
  #authority: string | null = null;

  /** A head has been scanned and framed. @param inserted what the connection's requests get inserted */
  begin(inserted: InsertedLines): void {
    this.inserted = inserted;
    this.method = this.message.methodText;
    this.bodyLength = this.framing.body === BodyKind.CHUNKED ? UNKNOWN_LENGTH : this.framing.lengthBytes;
    this.#target = null;
    this.#authority = null;
  }

  get target(): string {
    this.#target ??= this.message.targetText;
    return this.#target;
  }

  get authority(): string {
    this.#authority ??= this.message.hostText;
    return this.#authority;
  }

  field(name: string): string | undefined {
    return this.message.field(name);
  }

  endToEndFields(): FieldList {
    return this.message.fieldList(NOT_END_TO_END);
  }
}
