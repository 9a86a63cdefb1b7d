// DER (ITU-T X.690): a writer for the structures of certificates and signing requests, and a reader of one element.
// Thread: main.

/** Tags of the types that certificates use. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** UTCTime has two digits for the year, and ends with 2049 (RFC 5280 section 4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

/** An element: tag, length, and the concatenated parts of its content. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...parts);
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.set, ...parts);
}

/** A context-specific, constructed element such as [0]. */
export function tagged(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 | number, ...parts);
}

/** A context-specific, primitive element, as in the alternatives of GeneralName. */
export function taggedPrimitive(number: number, content: Uint8Array): Buffer {
  return element(0x80 | number, content);
}

/** A non-negative integer, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first++;
  const digits = bytes.subarray(first);
  // The first bit is the sign.
  return element(TAG.integer, ...((digits[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), digits);
}

export function boolean(value: boolean): Buffer {
  return element(TAG.boolean, Buffer.from([value ? 0xff : 0]));
}

export function nothing(): Buffer {
  return element(TAG.null);
}

export function octetString(content: Uint8Array): Buffer {
  return element(TAG.octetString, content);
}

/** A bit string. @param unusedBits bits of the last byte that don't count */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return element(TAG.bitString, Buffer.from([unusedBits]), content);
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** An object identifier in dotted notation. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...others].flatMap((arc) => base128(arc));
  return element(TAG.objectIdentifier, Buffer.from(bytes));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128));
  return bytes;
}

/** A time in whole seconds, in the form that its year requires. @param wallMs ms since 1970 */
export function time(wallMs: number): Buffer {
  const date = new Date(wallMs);
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? element(TAG.utcTime, Buffer.from(digits.slice(2)))
    : element(TAG.generalizedTime, Buffer.from(digits));
}

/** An element that was read: its tag and its content. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements that follow each other in `bytes`. Empty where the bytes are malformed. */
export function readElements(bytes: Uint8Array): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = contentStart(bytes, at);
    if (start === null || start.end > bytes.length) return [];
    found.push({ tag: bytes[at]!, content: bytes.subarray(start.begin, start.end) });
    at = start.end;
  }
  return found;
}

/** Bounds of the content of the element at an offset; lengths of more than four bytes don't occur in certificates. */
function contentStart(bytes: Uint8Array, at: number): { begin: number; end: number } | null {
  const first = bytes[at + 1];
  if (first === undefined) return null;
  if (first < 0x80) return { begin: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) return null;
  let length = 0;
  for (let index = 0; index < count; index++) {
    const byte = bytes[at + 2 + index];
    if (byte === undefined) return null;
    length = length * 256 + byte;
  }
  return { begin: at + 2 + count, end: at + 2 + count + length };
}
