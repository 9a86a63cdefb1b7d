// bcrypt (Provos and Mazières, A Future-Adaptable Password Scheme, 1999), for password files of other servers. Blocks its
// thread for as long as the cost demands: it runs in the thread of password-thread.ts alone. Thread: both.

const ROUNDS = 16;
const P_WORDS = ROUNDS + 2;
const S_WORDS = 1024;
/** A key has at most 72 bytes; the rest of a longer password doesn't count, as everywhere. */
const MOST_KEY_BYTES = 72;
const HASH_BYTES = 23;
const TEXT = 'OrpheanBeholderScryDoubt';
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A hash as it is written: `$2b$10$`, 22 characters of salt and 31 of hash. */
export interface BcryptHash {
  readonly cost: number;
  readonly salt: string;
  readonly hash: string;
}

/** Parses $2a$, $2b$ and $2y$; null for anything else. They differ in bugs of old programs alone. */
export function parseBcrypt(text: string): BcryptHash | null {
  const match = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/.exec(text);
  if (match === null) return null;
  const [, cost = '', salt = '', hash = ''] = match;
  return { cost: Number(cost), salt, hash };
}

/** The 31 characters of the hash of a password. */
export function bcrypt(password: string, cost: number, salt: string): string {
  const state = new Blowfish();
  const key = cyclicWords(Buffer.from(`${password}\0`, 'utf8').subarray(0, MOST_KEY_BYTES), P_WORDS);
  const saltWords = cyclicWords(decode(salt, 16), P_WORDS);
  state.expand(key, saltWords.subarray(0, 4));
  for (let turn = 2 ** cost; turn > 0; turn -= 1) {
    state.expand(key, NO_SALT);
    state.expand(saltWords, NO_SALT);
  }
  const words = cyclicWords(Buffer.from(TEXT, 'latin1'), 6);
  for (let turn = 0; turn < 64; turn += 1) for (let at = 0; at < 6; at += 2) state.encipher(words, at);
  const bytes = Buffer.alloc(24);
  for (const [at, word] of words.entries()) bytes.writeInt32BE(word, at * 4);
  return encode(bytes.subarray(0, HASH_BYTES));
}

const NO_SALT = new Int32Array(4);

class Blowfish {
  readonly #p: Int32Array;
  readonly #s: Int32Array;
  readonly #block = new Int32Array(2);

  constructor() {
    const digits = initialWords();
    this.#p = digits.slice(0, P_WORDS);
    this.#s = digits.slice(P_WORDS);
  }

  /** The key schedule, with a salt of four words. */
  expand(key: Int32Array, salt: Int32Array): void {
    const block = this.#block.fill(0);
    for (let at = 0; at < P_WORDS; at += 1) this.#p[at]! ^= key[at]!;
    let word = 0;
    for (const box of [this.#p, this.#s]) {
      for (let at = 0; at < box.length; at += 2) {
        block[0]! ^= salt[word]!;
        block[1]! ^= salt[word + 1]!;
        word ^= 2;
        this.encipher(block, 0);
        box[at] = block[0]!;
        box[at + 1] = block[1]!;
      }
    }
  }

  /** Enciphers the two words at an index in place. */
  encipher(words: Int32Array, at: number): void {
    const p = this.#p;
    const s = this.#s;
    let left = words[at]! ^ p[0]!;
    let right = words[at + 1]!;
    for (let round = 1; round <= ROUNDS; round += 2) {
      let mixed = (s[left >>> 24]! + s[256 | ((left >>> 16) & 255)]!) | 0;
      mixed = ((mixed ^ s[512 | ((left >>> 8) & 255)]!) + s[768 | (left & 255)]!) | 0;
      right ^= mixed ^ p[round]!;
      mixed = (s[right >>> 24]! + s[256 | ((right >>> 16) & 255)]!) | 0;
      mixed = ((mixed ^ s[512 | ((right >>> 8) & 255)]!) + s[768 | (right & 255)]!) | 0;
      left ^= mixed ^ p[round + 1]!;
    }
    words[at] = right ^ p[ROUNDS + 1]!;
    words[at + 1] = left;
  }
}

/** `count` big-endian words of bytes that repeat. */
function cyclicWords(bytes: Uint8Array, count: number): Int32Array {
  const words = new Int32Array(count);
  for (let at = 0; at < count * 4; at += 1) words[at >> 2] = (words[at >> 2]! << 8) | bytes[at % bytes.length]!;
  return words;
}

let initial: Int32Array | undefined;

/** The first words of Blowfish: the fractional part of pi, computed once (Machin's formula) instead of kept as a table. */
function initialWords(): Int32Array {
  if (initial !== undefined) return initial;
  const bits = BigInt((P_WORDS + S_WORDS) * 32);
  const guard = 64n;
  const one = 1n << (bits + guard);
  const pi = 16n * inverseTangent(5n, one) - 4n * inverseTangent(239n, one);
  const text = ((pi - 3n * one) >> guard).toString(16).padStart(Number(bits) / 4, '0');
  return (initial = Int32Array.from({ length: P_WORDS + S_WORDS }, (_, at) =>
    parseInt(text.slice(at * 8, at * 8 + 8), 16),
  ));
}

/** atan(1 / x) in units of 1 / one. */
function inverseTangent(x: bigint, one: bigint): bigint {
  let power = one / x;
  let sum = power;
  for (let term = 3n, sign = -1n; power !== 0n; term += 2n, sign = -sign) {
    power /= x * x;
    sum += (sign * power) / term;
  }
  return sum;
}

/** bcrypt's base64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second, third] = [bytes[at]!, bytes[at + 1], bytes[at + 2]];
    text += ALPHABET[first >> 2]! + ALPHABET[((first & 3) << 4) | ((second ?? 0) >> 4)]!;
    if (second !== undefined) text += ALPHABET[((second & 15) << 2) | ((third ?? 0) >> 6)]!;
    if (third !== undefined) text += ALPHABET[third & 63]!;
  }
  return text;
}

function decode(text: string, count: number): Uint8Array {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const character of text) {
    held = (held << 6) | ALPHABET.indexOf(character);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes.slice(0, count));
}
