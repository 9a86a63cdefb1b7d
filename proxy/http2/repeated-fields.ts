// Recognises the regular fields of a header block that repeats an earlier one of the connection: clients send the same
// fields with each request, coded as the same indices while the dynamic table doesn't change. Thread: both.

import type { RegularFields } from './regular-fields.ts';

interface KeptFields {
  readonly fields: RegularFields;
  readonly bytes: Uint8Array;
  /** State of the decoder's table for which the bytes stand for the fields. */
  readonly tableChanges: number;
}

/** By the length of their bytes: requests for pages, scripts and images differ in it. A power of two. */
const SLOTS = 4;
/** Longer blocks are rarely repeated. */
const MAX_KEPT_BYTES = 1024;
/** After this many different blocks in a row only every 32nd is kept: copying costs more than it saves. */
const MAX_MISSES = 8;
const KEEP_EVERY = 32;

export class RepeatedFields {
  readonly #slots: (KeptFields | null)[] = Array.from({ length: SLOTS }, () => null);
  #misses = 0;

  /** The fields that the bytes stand for, if they are known. */
  find(block: Uint8Array, start: number, end: number, tableChanges: number): RegularFields | null {
    const kept = this.#slots[(end - start) & (SLOTS - 1)]!;
    if (kept === null || kept.tableChanges !== tableChanges || kept.bytes.length !== end - start) return null;
    const { bytes } = kept;
    for (let at = 0; at < bytes.length; at += 1) if (bytes[at] !== block[start + at]) return null;
    this.#misses = 0;
    return kept.fields;
  }

  /** @param fields of a block that left the table as it was @returns whether they are kept: they may not change any more */
  keep(fields: RegularFields, block: Uint8Array, start: number, end: number, tableChanges: number): boolean {
    this.#misses += 1;
    if (end - start > MAX_KEPT_BYTES || (this.#misses > MAX_MISSES && this.#misses % KEEP_EVERY !== 0)) return false;
    const bytes = Uint8Array.from(block.subarray(start, end));
    this.#slots[(end - start) & (SLOTS - 1)] = { fields, bytes, tableChanges };
    return true;
  }
}
