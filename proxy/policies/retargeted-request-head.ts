// A request's head with the path and query that a policy chose. Thread: both.

import type { FieldList, RequestHead } from '../../core/head.ts';

export class RetargetedRequestHead implements RequestHead {
  readonly target: string;
  readonly #head: RequestHead;

  constructor(head: RequestHead, target: string) {
    this.#head = head;
    this.target = target;
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

  get bodyLength(): number {
    return this.#head.bodyLength;
  }

  field(name: string): string | undefined {
    return this.#head.field(name);
  }

  endToEndFields(): FieldList {
    return this.#head.endToEndFields();
  }
}
