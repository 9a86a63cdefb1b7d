// The static Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). Thread: both.

import { latin1Text } from '../http1/latin1.ts';

/** Symbol 256: its code pads the last byte and never occurs as a symbol. */
const EOS = 256;
const SYMBOLS = 257;
/** Inner nodes of the code's tree: one less than it has leaves. */
const NODES = SYMBOLS - 1;

/** Length of each symbol's code, in bits. The code is canonical, so that the lengths determine it. */
// biome-ignore format: 32 a line
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** Codes by symbol, right-aligned. */
const CODES: Uint32Array = buildCodes();

/**
 * Decoding by bytes: for each node and byte the next node (bits 0-7), up to two symbols (8-15, 16-23), their number
 * (24-25), and whether the byte can't follow (31). No code is shorter than 5 bits, so that a byte ends at most two.
 */
const STEPS = new Uint32Array(NODES << 8);
const FAILS = 0x80000000;
/** Whether a string may end at a node: on the path of EOS, after fewer than 8 bits (section 5.2). */
const MAY_END = new Uint8Array(NODES);
buildSteps();

function buildCodes(): Uint32Array {
  const codes = new Uint32Array(SYMBOLS);
  let code = 0;
  let bits = 0;
  for (const symbol of symbolsByLength()) {
    code *= 2 ** (CODE_BITS[symbol]! - bits);
    bits = CODE_BITS[symbol]!;
    codes[symbol] = code;
    code += 1;
  }
  return codes;
}

function symbolsByLength(): number[] {
  return Array.from({ length: SYMBOLS }, (_, symbol) => symbol).sort((a, b) => CODE_BITS[a]! - CODE_BITS[b]! || a - b);
}

/** The tree: two children per node. At least 0: a node; below: the complement of a symbol. */
function buildTree(): Int32Array {
  const children = new Int32Array(NODES * 2);
  let nodes = 1;
  for (let symbol = 0; symbol < SYMBOLS; symbol += 1) {
    let at = 0;
    for (let bit = CODE_BITS[symbol]! - 1; bit > 0; bit -= 1) {
      const slot = at * 2 + ((CODES[symbol]! >>> bit) & 1);
      if (children[slot] === 0) children[slot] = nodes++;
      at = children[slot]!;
    }
    children[at * 2 + (CODES[symbol]! & 1)] = ~symbol;
  }
  return children;
}

function buildSteps(): void {
  const children = buildTree();
  for (let bits = 0, node = 0; bits < 8; bits += 1, node = children[node * 2 + 1]!) MAY_END[node] = 1;
  for (let node = 0; node < NODES; node += 1) {
    for (let byte = 0; byte < 256; byte += 1) STEPS[(node << 8) | byte] = stepOf(children, node, byte);
  }
}

function stepOf(children: Int32Array, from: number, byte: number): number {
  let node = from;
  let count = 0;
  let symbols = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    const child = children[node * 2 + ((byte >>> bit) & 1)]!;
    if (child >= 0) {
      node = child;
      continue;
    }
    if (~child === EOS) return FAILS;
    symbols |= ~child << (8 + 8 * count);
    count += 1;
    node = 0;
  }
  return ((count << 24) | symbols | node) >>> 0;
}

/** Decoded text: grows to the longest string so far. Its users bound the length of coded strings. */
let scratch: Buffer = Buffer.allocUnsafe(4096);

/** Decodes a string literal. @returns latin1 text; null if the bytes are not a valid code (a decoding error) */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  // A symbol takes at least 5 bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafe(most * 2);
  const out = scratch;
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const step = STEPS[(node << 8) | bytes[at]!]!;
    if (step >= FAILS) return null;
    node = step & 0xff;
    const count = step >>> 24;
    if (count === 0) continue;
    out[length++] = (step >>> 8) & 0xff;
    if (count === 2) out[length++] = (step >>> 16) & 0xff;
  }
  return MAY_END[node] === 1 ? latin1Text(out, 0, length) : null;
}

/** Bytes that a text takes when it is coded. @param text latin1 */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at += 1) bits += CODE_BITS[text.charCodeAt(at)]!;
  return (bits + 7) >> 3;
}

/** Encodes a text. @param text latin1 @param out has room for `huffmanBytes(text)` @returns the offset after it */
export function encodeHuffman(text: string, out: Uint8Array, offset: number): number {
  let at = offset;
  let pending = 0;
  let pendingBits = 0;
  for (let index = 0; index < text.length; index += 1) {
    const symbol = text.charCodeAt(index);
    let bits = CODE_BITS[symbol]!;
    const code = CODES[symbol]!;
    // Moved by at most a byte at a time, so that nothing exceeds 32 bits.
    while (bits > 0) {
      const take = Math.min(bits, 8 - pendingBits);
      bits -= take;
      pending = (pending << take) | ((code >>> bits) & ((1 << take) - 1));
      pendingBits += take;
      if (pendingBits < 8) continue;
      out[at++] = pending;
      pending = 0;
      pendingBits = 0;
    }
  }
  if (pendingBits > 0) out[at++] = ((pending << (8 - pendingBits)) | (0xff >>> pendingBits)) & 0xff;
  return at;
}
