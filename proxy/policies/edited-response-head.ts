// A response's head as policies let it through: without the fields that they remove or replace, and without a length
// where they change its body. Thread: both.

import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../core/head.ts';

export class EditedResponseHead implements ResponseHead {
  readonly #head: ResponseHead;
  readonly #removed: ReadonlySet<string>;
  readonly #hasOtherBody: boolean;

  /** @param removed lower-case names. @param hasOtherBody whether a policy changes the body, and so its length */
  constructor(head: ResponseHead, removed: ReadonlySet<string>, hasOtherBody: boolean) {
    this.#head = head;
    this.#removed = removed;
    this.#hasOtherBody = hasOtherBody;
  }

  get status(): number {
    return this.#head.status;
  }

  get reason(): string {
    return this.#head.reason;
  }

  get bodyLength(): number {
    return this.#hasOtherBody ? UNKNOWN_LENGTH : this.#head.bodyLength;
  }

  get hasLength(): boolean {
    return !this.#hasOtherBody && this.#head.hasLength;
  }

  field(name: string): string | undefined {
    return this.#removed.has(name) ? undefined : this.#head.field(name);
  }

  endToEndFields(): FieldList {
    const fields = this.#head.endToEndFields();
    const kept: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if (!this.#removed.has(fields[i]!.toLowerCase())) kept.push(fields[i]!, fields[i + 1]!);
    }
    return kept;
  }
}
