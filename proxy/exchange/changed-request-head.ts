// A request head with another body length or expectation than the client's. Thread: worker.

import type { FieldList, RequestHead } from '../../core/head.ts';

export interface HeadChange {
  readonly bodyLength?: number;
  readonly expectsContinue?: boolean;
}

export class ChangedRequestHead implements RequestHead {
  readonly target: string;
  readonly bodyLength: number;
  readonly expectsContinue: boolean;
  readonly #head: RequestHead;

  constructor(head: RequestHead, change: HeadChange) {
    const { bodyLength = head.bodyLength, expectsContinue = head.expectsContinue } = change;
    this.#head = head;
    this.target = head.target;
    this.bodyLength = bodyLength;
    this.expectsContinue = expectsContinue === true;
  }

  get method(): string {
    return this.#head.method;
  }

  get authority(): string {
    return this.#head.authority;
  }

  get version(): string {
    return this.#head.version;
  }

  field(name: string): string | undefined {
    return this.#head.field(name);
  }

  endToEndFields(): FieldList {
    return this.#head.endToEndFields();
  }
}
