// The head of a mirrored request: a copy of a client's head with the edits of the policies, which outlives its exchange.
// Thread: worker.

import { type FieldList, joinedField, type RequestHead } from '../../core/head.ts';

/** Edits of a head, as attempts send them. */
interface SentEdits {
  /** Replace the client's fields of the same name. */
  readonly inserted: FieldList;
  readonly removed: { readonly names: ReadonlySet<string> };
}

export class MirroredRequestHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly version: string;
  readonly bodyLength: number;
  readonly #fields: FieldList;
  readonly #te: string | undefined;

  /** @param target path and query that endpoints get; null for the client's @param bodyLength of the copied body */
  constructor(head: RequestHead, edits: SentEdits, target: string | null, bodyLength: number) {
    this.method = head.method;
    this.target = target ?? head.target;
    this.authority = head.authority;
    this.version = head.version;
    this.bodyLength = bodyLength;
    this.#fields = editedFields(head.endToEndFields(), edits);
    // Hop-by-hop, but read by transports: gRPC needs trailers.
    this.#te = head.field('te');
  }

  field(name: string): string | undefined {
    return name === 'te' ? this.#te : joinedField(this.#fields, name);
  }

  endToEndFields(): FieldList {
    return this.#fields;
  }
}

function editedFields(fields: FieldList, { inserted, removed }: SentEdits): FieldList {
  const replaced = new Set(inserted.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  const isKept = (name: string): boolean => !removed.names.has(name) && !replaced.has(name);
  const kept = fields.filter((_, at) => isKept(fields[at - (at % 2)]!.toLowerCase()));
  return [...kept, ...inserted];
}
