// Key hash for consistent hashing: MurmurHash3 x86 32-bit (Austin Appleby, public domain), reimplemented over UTF-8
// bytes, so that all proxies compute the same hash. Thread: both.

const encoder = new TextEncoder();
let scratch = new Uint8Array(1024);

/** Mixes all bits of a 32-bit word into all others (the finaliser of MurmurHash3). */
export function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

/** 32-bit hash of the first `length` bytes. */
export function murmur32(bytes: Uint8Array, length: number, seed: number): number {
  let h = seed | 0;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    h ^= scramble(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (length > whole) h ^= scramble(tail);
  return mix32(h ^ length);
}

/** 32-bit hash of a string's UTF-8 bytes. */
export function murmur32OfString(text: string, seed: number): number {
  if (scratch.length < text.length * 3) scratch = new Uint8Array(text.length * 3);
  const { written } = encoder.encodeInto(text, scratch);
  return murmur32(scratch, written, seed);
}
