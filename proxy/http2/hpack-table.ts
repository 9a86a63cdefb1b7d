// The dynamic table of HPACK (RFC 7541 sections 2.3.2 and 4): a ring of fields with a size limit. Thread: both.

/** A field of a table. */
export interface TableField {
  readonly name: string;
  readonly value: string;
}

/** Overhead of a field beside its name and value (section 4.1). */
const FIELD_OVERHEAD_BYTES = 32;
const INITIAL_CAPACITY = 16;

/** The size of a field in tables and header lists (sections 4.1; RFC 9113 section 6.5.2). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}

export class HpackTable<Field extends TableField> {
  /** Fields inserted so far. */
  insertions = 0;
  /** Changes so far: identifies the table's contents. An update of the size evicts without an insertion. */
  changes = 0;
  #maxBytes: number;
  #bytes = 0;
  #count = 0;
  /** The field of insertion n is at n modulo the length, which is a power of two. */
  #ring: (Field | null)[] = Array.from({ length: INITIAL_CAPACITY }, () => null);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The field at an index from 0, newest first; null beyond the table. */
  at(index: number): Field | null {
    if (index < 0 || index >= this.#count) return null;
    return this.#ring[(this.insertions - 1 - index) & (this.#ring.length - 1)]!;
  }

  /** Inserts a field and evicts the oldest ones. A field beyond the limit empties the table (section 4.4). */
  add(field: Field): void {
    const size = fieldSize(field.name, field.value);
    this.changes += 1;
    this.#evictTo(this.#maxBytes - size);
    if (size > this.#maxBytes) return;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[this.insertions & (this.#ring.length - 1)] = field;
    this.insertions += 1;
    this.#count += 1;
    this.#bytes += size;
  }

  resize(maxBytes: number): void {
    this.changes += 1;
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const slot = (this.insertions - this.#count) & (this.#ring.length - 1);
      const { name, value } = this.#ring[slot]!;
      this.#ring[slot] = null;
      this.#bytes -= fieldSize(name, value);
      this.#count -= 1;
    }
  }

  #grow(): void {
    const larger: (Field | null)[] = Array.from({ length: this.#ring.length * 2 }, () => null);
    for (let index = 0; index < this.#count; index += 1) {
      const number = this.insertions - 1 - index;
      larger[number & (larger.length - 1)] = this.#ring[number & (this.#ring.length - 1)]!;
    }
    this.#ring = larger;
  }
}
