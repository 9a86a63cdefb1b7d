// HalfSipHash-2-4 with a 64-bit result (Aumasson and Bernstein, SipHash, 2012; its variant for 32-bit words): a keyed hash
// of texts that come from clients, who can't find two texts with one hash without the key. Thread: both.

const ROUNDS = 2;
const FINAL_ROUNDS = 4;

/** One state for each thread: hashing is synchronous. */
let v0 = 0;
let v1 = 0;
let v2 = 0;
let v3 = 0;

export class KeyedHash {
  /** The result of the last `of`, two signed words. */
  low = 0;
  high = 0;
  readonly #key0: number;
  readonly #key1: number;

  constructor(key0: number, key1: number) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /** A hash whose key depends on a text, so that equal texts under different names have different hashes. */
  derive(name: string): KeyedHash {
    this.of(name);
    return new KeyedHash(this.low, this.high);
  }

  /** Hashes a text of one byte per character, as field values are; of other characters the high bits are folded in. */
  of(text: string): void {
    const { length } = text;
    v0 = this.#key0;
    v1 = this.#key1 ^ 0xee;
    v2 = 0x6c796765 ^ this.#key0;
    v3 = 0x74656462 ^ this.#key1;
    const whole = length & ~3;
    for (let at = 0; at < whole; at += 4) compress(wordAt(text, at));
    let last = length << 24;
    for (let at = whole; at < length; at += 1) last ^= text.charCodeAt(at) << ((at - whole) * 8);
    compress(last);
    v2 ^= 0xee;
    mix(FINAL_ROUNDS);
    this.low = v1 ^ v3;
    v1 ^= 0xdd;
    mix(FINAL_ROUNDS);
    this.high = v1 ^ v3;
  }
}

function wordAt(text: string, at: number): number {
  const first = text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8);
  return first ^ (text.charCodeAt(at + 2) << 16) ^ (text.charCodeAt(at + 3) << 24);
}

function compress(word: number): void {
  v3 ^= word;
  mix(ROUNDS);
  v0 ^= word;
}

function mix(rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
}
