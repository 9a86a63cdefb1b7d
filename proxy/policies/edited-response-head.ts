// A response's head without the fields that its route takes away or replaces. Thread: worker.

import type { FieldList, ResponseHead } from '../../core/head.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';

/** Lower-case names that a route takes out of its responses: removed ones, and those that it sets itself. */
export function removedResponseFieldsOf(route: RouteSnapshot): ReadonlySet<string> {
  const { set, remove } = route.responseHeaders;
  const replaced = set.filter((_, index) => index % 2 === 0);
  return new Set([...remove, ...replaced].map((name) => name.toLowerCase()));
}

export class EditedResponseHead implements ResponseHead {
  readonly #head: ResponseHead;
  readonly #removed: ReadonlySet<string>;

  constructor(head: ResponseHead, removed: ReadonlySet<string>) {
    this.#head = head;
    this.#removed = removed;
  }

  get status(): number {
    return this.#head.status;
  }

  get reason(): string {
    return this.#head.reason;
  }

  get bodyLength(): number {
    return this.#head.bodyLength;
  }

  get hasLength(): boolean {
    return this.#head.hasLength;
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
