// A scanned head: its text, and the offsets of its parts, in one reused object. Thread: both.

import { FIELD_KIND_COUNT, FieldKind, kindOfName } from './field-kind.ts';

/** Methods with a number; OTHER is any other token (compare `methodText`). */
export const Method = {
  OTHER: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  OPTIONS: 6,
  PATCH: 7,
  QUERY: 8,
  TRACE: 9,
  CONNECT: 10,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** Name of each method; '' for OTHER. */
export const METHOD_NAMES: readonly string[] = [
  '',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'QUERY',
  'TRACE',
  'CONNECT',
];

/** Numbers per field in `offsets`: start and end of its name, start and end of its value without surrounding blanks. */
export const FIELD_STRIDE = 4;
const VALUE_START = 2;
const VALUE_END = 3;

/** Most heads have fewer fields; the table doubles for those with more, so that a pool of heads stays small. */
const INITIAL_FIELDS = 32;
/** Bit next to the kind that marks a field as not forwarded. */
const CUT = 0x80;
const KIND_BITS = 0x1f;
const COOKIE = 'cookie';

/**
 * Filled by HeadScanner, valid until the next scan into the same object. It has a text of its own, so that the scanned
 * buffer may be overwritten at once. All offsets count characters (bytes) of `text`.
 */
export class MessageHead {
  /** The complete head, including the empty line at its end: latin1, one character per byte. */
  text = '';
  /** Offset in the scanned buffer after the head: the start of the body or the next message. */
  bodyStart = 0;

  /** Request only. */
  method: number = Method.OTHER;
  methodEnd = 0;
  targetStart = 0;
  /** End of the path: the '?', or `targetEnd`. */
  pathEnd = 0;
  targetEnd = 0;
  /** Host's value without its port. */
  hostStart = 0;
  hostNameEnd = 0;
  hostEnd = 0;

  /** Response only: 100 to 599. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minorVersion = 1;
  /** Start of the first field line. */
  fieldsStart = 0;
  fieldCount = 0;
  /** FIELD_STRIDE numbers per field, then the end of the field lines. */
  offsets: Int32Array = new Int32Array(INITIAL_FIELDS * FIELD_STRIDE + 1);
  /** FieldKind of each field, and the CUT bit. */
  kinds: Uint8Array = new Uint8Array(INITIAL_FIELDS);
  /** Sets of kinds: those present, and those present more than once. */
  seen = 0;
  repeated = 0;
  readonly #firstIndex = new Uint16Array(FIELD_KIND_COUNT);

  /** Empties the head for a new scan. */
  reset(): void {
    this.method = Method.OTHER;
    this.status = 0;
    this.minorVersion = 1;
    this.resetFields();
  }

  /** Clears all but the first line. */
  resetFields(): void {
    this.text = '';
    this.fieldCount = 0;
    this.seen = 0;
    this.repeated = 0;
    this.hostStart = 0;
    this.hostNameEnd = 0;
    this.hostEnd = 0;
  }

  /** Adds a field. For the scanners; offsets as in `offsets`. */
  addField(kind: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.fieldCount;
    if (index === this.kinds.length) this.#grow();
    const offsets = this.offsets;
    const at = index * FIELD_STRIDE;
    offsets[at] = nameStart;
    offsets[at + 1] = nameEnd;
    offsets[at + VALUE_START] = valueStart;
    offsets[at + VALUE_END] = valueEnd;
    this.kinds[index] = kind;
    this.fieldCount = index + 1;
    if (kind === FieldKind.OTHER) return;
    const bit = 1 << kind;
    if ((this.seen & bit) !== 0) this.repeated |= bit;
    else {
      this.seen |= bit;
      this.#firstIndex[kind] = index;
    }
  }

  /** Adds the fields of `lines`, cuts included, whose text stands at `distance` in this head's. */
  addFields(lines: MessageHead, distance: number): void {
    const { fieldCount } = lines;
    const first = this.fieldCount;
    while (this.kinds.length < first + fieldCount) this.#grow();
    const { offsets, kinds } = this;
    const from = lines.offsets;
    const end = fieldCount * FIELD_STRIDE;
    for (let at = 0, to = first * FIELD_STRIDE; at <= end; at += 1, to += 1) offsets[to] = from[at]! + distance;
    for (let index = fieldCount - 1; index >= 0; index -= 1) {
      const kind = lines.kinds[index]!;
      kinds[first + index] = kind;
      if (((this.seen >>> (kind & KIND_BITS)) & 1) === 0) this.#firstIndex[kind & KIND_BITS] = first + index;
    }
    this.fieldCount = first + fieldCount;
    this.repeated |= lines.repeated | (this.seen & lines.seen);
    this.seen |= lines.seen;
  }

  #grow(): void {
    const kinds = new Uint8Array(this.kinds.length * 2);
    const offsets = new Int32Array(kinds.length * FIELD_STRIDE + 1);
    kinds.set(this.kinds);
    offsets.set(this.offsets);
    this.kinds = kinds;
    this.offsets = offsets;
  }

  has(kind: number): boolean {
    return ((this.seen >>> kind) & 1) !== 0;
  }

  /** @param set of kinds, as `kindSet` makes it. */
  hasAny(set: number): boolean {
    return (this.seen & set) !== 0;
  }

  isRepeated(kind: number): boolean {
    return ((this.repeated >>> kind) & 1) !== 0;
  }

  /** Index of the first field of a kind (not OTHER), or -1. */
  indexOfKind(kind: number): number {
    return this.has(kind) ? this.#firstIndex[kind]! : -1;
  }

  /** Index of the next field of this name, starting at `from`, or -1. @param name lower case */
  indexOf(name: string, from = 0): number {
    const kind = kindOfName(name);
    if (kind !== FieldKind.OTHER && !this.has(kind)) return -1;
    for (let index = from; index < this.fieldCount; index += 1) {
      if (this.kindAt(index) === kind && this.nameEquals(index, name)) return index;
    }
    return -1;
  }

  kindAt(index: number): number {
    return this.kinds[index]! & KIND_BITS;
  }

  /** Whether the field has this name, ignoring case. @param name lower case */
  nameEquals(index: number, name: string): boolean {
    const at = index * FIELD_STRIDE;
    return this.rangeEquals(this.offsets[at]!, this.offsets[at + 1]!, name);
  }

  /** Whether the field has this value, ignoring case. @param value lower case */
  valueEquals(index: number, value: string): boolean {
    const at = index * FIELD_STRIDE;
    return this.rangeEquals(this.offsets[at + VALUE_START]!, this.offsets[at + VALUE_END]!, value);
  }

  /**
   * Whether `text` from `start` to `end` equals `lower`, ignoring the case of ASCII letters.
   * @param lower lower case
   */
  rangeEquals(start: number, end: number, lower: string): boolean {
    return end - start === lower.length && matchesAt(this.text, start, lower);
  }

  nameText(index: number): string {
    const at = index * FIELD_STRIDE;
    return this.text.slice(this.offsets[at], this.offsets[at + 1]);
  }

  valueText(index: number): string {
    const at = index * FIELD_STRIDE;
    return this.text.slice(this.offsets[at + VALUE_START], this.offsets[at + VALUE_END]);
  }

  valueStart(index: number): number {
    return this.offsets[index * FIELD_STRIDE + VALUE_START]!;
  }

  valueEnd(index: number): number {
    return this.offsets[index * FIELD_STRIDE + VALUE_END]!;
  }

  /** Start of a field's line; for `fieldCount`, the end of the field lines. */
  lineStart(index: number): number {
    return this.offsets[index * FIELD_STRIDE]!;
  }

  /** Value of a field, its lines joined by ', ' (Cookie's by '; '); undefined if absent. @param name lower case */
  field(name: string): string | undefined {
    let index = this.indexOf(name);
    if (index < 0) return undefined;
    let value = this.valueText(index);
    while ((index = this.indexOf(name, index + 1)) >= 0) {
      value += (name === COOKIE ? '; ' : ', ') + this.valueText(index);
    }
    return value;
  }

  /** All fields that are neither cut nor of a kind in `cutKinds`, as [name, value, ...]. */
  fieldList(cutKinds: number): string[] {
    const list: string[] = [];
    for (let index = 0; index < this.fieldCount; index += 1) {
      if (!this.isCut(index, cutKinds)) list.push(this.nameText(index), this.valueText(index));
    }
    return list;
  }

  /** Marks a field as not forwarded. */
  cut(index: number): void {
    this.kinds[index]! |= CUT;
  }

  /** Marks all fields of a name as not forwarded. @param name lower case */
  cutNamed(name: string): void {
    for (let index = this.indexOf(name); index >= 0; index = this.indexOf(name, index + 1)) this.cut(index);
  }

  /** Whether a field was cut or is of a kind in `cutKinds`. */
  isCut(index: number, cutKinds: number): boolean {
    const kind = this.kinds[index]!;
    return kind >= CUT || ((cutKinds >>> kind) & 1) !== 0;
  }

  get methodText(): string {
    return this.method === Method.OTHER ? this.text.slice(0, this.methodEnd) : METHOD_NAMES[this.method]!;
  }

  /** Path and query, unchanged. */
  get targetText(): string {
    return this.text.slice(this.targetStart, this.targetEnd);
  }

  get pathText(): string {
    return this.text.slice(this.targetStart, this.pathEnd);
  }

  /** The query including its '?', or ''. */
  get queryText(): string {
    return this.text.slice(this.pathEnd, this.targetEnd);
  }

  /** Value of Host, including the port; '' if there is none. */
  get hostText(): string {
    return this.text.slice(this.hostStart, this.hostEnd);
  }

  /** Value of Host without the port, unchanged (an IPv6 address in brackets). */
  get hostNameText(): string {
    return this.text.slice(this.hostStart, this.hostNameEnd);
  }

  get reasonText(): string {
    return this.text.slice(this.reasonStart, this.reasonEnd);
  }
}

/** Whether `text` has `lower` at `start`, ignoring the case of ASCII letters. */
function matchesAt(text: string, start: number, lower: string): boolean {
  for (let at = 0; at < lower.length; at += 1) {
    const code = text.charCodeAt(start + at);
    if (code !== lower.charCodeAt(at) && (code < 0x41 || code > 0x5a || (code | 0x20) !== lower.charCodeAt(at)))
      return false;
  }
  return true;
}
