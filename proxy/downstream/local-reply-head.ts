// A local reply in the form of an endpoint's response head. Thread: worker.

import type { LocalReply } from '../../core/exchange-contract.ts';
import { type FieldList, joinedField, type ResponseHead } from '../../core/head.ts';

export class LocalReplyHead implements ResponseHead {
  readonly hasLength = true;
  readonly #reply: LocalReply;

  constructor(reply: LocalReply) {
    this.#reply = reply;
  }

  get status(): number {
    return this.#reply.status;
  }

  get reason(): string {
    return this.#reply.reason;
  }

  get bodyLength(): number {
    return this.#reply.body.byteLength;
  }

  field(name: string): string | undefined {
    return joinedField(this.#reply.fields, name);
  }

  endToEndFields(): FieldList {
    return this.#reply.fields;
  }
}
