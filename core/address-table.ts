// Look-up of an address among blocks, of which the longest decides. Blocks are flattened on the main thread into disjoint
// ranges, which workers search by bisection: 17 steps for 100,000 blocks. Thread: both.

import { readAddress } from './address.ts';
import { parseCidr } from './cidr.ts';

/** Verdict on an address: of no block, or of a block of one of two lists. */
export const VERDICT = { none: 0, allow: 1, deny: 2 } as const;
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

/** A block in CIDR notation, or a single address. */
export interface RuledBlock {
  readonly block: string;
  readonly verdict: Verdict;
}

/** Ranges as text in base64, so that they are plain data in a Snapshot. */
export interface AddressRanges {
  /** Start of each range as a 32-bit word; four of them for IPv6. Big endian, ascending. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** A byte for each range. */
  readonly verdicts4: string;
  readonly verdicts6: string;
}

/** Bits before the IPv4 address in an IPv4-mapped one. */
const MAPPED_BITS = 96;

interface Span {
  readonly first: bigint;
  readonly last: bigint;
  readonly verdict: Verdict;
}

/**
 * Flattens blocks. Of blocks that contain an address the longest one decides, and of equal ones `deny`.
 * @throws RangeError for a block that is not CIDR notation
 */
export function compileRanges(rules: readonly RuledBlock[]): AddressRanges {
  const spans: Record<4 | 6, Span[]> = { 4: [], 6: [] };
  for (const { block, verdict } of rules) {
    const { version, first, last } = spanOf(block);
    spans[version].push({ first, last, verdict });
  }
  const [four, six] = [flatten(spans[4], 4), flatten(spans[6], 16)];
  return { ipv4: four.starts, verdicts4: four.verdicts, ipv6: six.starts, verdicts6: six.verdicts };
}

function spanOf(block: string): { version: 4 | 6; first: bigint; last: bigint } {
  const parsed = parseCidr(block);
  const words = new Uint32Array(4);
  let version = parsed === null ? 0 : readAddress(parsed.address, words);
  if (parsed === null || version === 0) throw new RangeError(`${block} is not a CIDR block`);
  let bits = parsed.prefixBits;
  if (version === 4 && parsed.family === 'ipv6') {
    // An IPv4-mapped address. With fewer bits than those before the IPv4 address it is a block of IPv6.
    if (bits >= MAPPED_BITS) bits -= MAPPED_BITS;
    else {
      version = 6;
      words[0] = 0;
    }
  }
  const width = version === 4 ? 32 : 128;
  let address = 0n;
  for (let at = 0; at < width / 32; at += 1) address = (address << 32n) | BigInt(words[at]!);
  const size = 1n << BigInt(width - bits);
  const first = address - (address % size);
  return { version, first, last: first + size - 1n };
}

/** @param bytes of an address */
function flatten(spans: readonly Span[], bytes: number): { starts: string; verdicts: string } {
  // Outer blocks before the inner ones that begin with them; of equal ones deny is last, and so innermost.
  const sorted = spans.toSorted(
    (a, b) => compare(a.first, b.first) || compare(b.last, a.last) || a.verdict - b.verdict,
  );
  const starts: bigint[] = [];
  const verdicts: Verdict[] = [];
  const begin = (at: bigint, verdict: Verdict): void => {
    if (starts.at(-1) === at) verdicts[verdicts.length - 1] = verdict;
    else if ((verdicts.at(-1) ?? VERDICT.none) !== verdict) {
      starts.push(at);
      verdicts.push(verdict);
    }
  };
  const open: Span[] = [];
  const closeBefore = (at: bigint): void => {
    for (let inner = open.at(-1); inner !== undefined && inner.last < at; inner = open.at(-1)) {
      open.pop();
      begin(inner.last + 1n, open.at(-1)?.verdict ?? VERDICT.none);
    }
  };
  for (const span of sorted) {
    closeBefore(span.first);
    begin(span.first, span.verdict);
    open.push(span);
  }
  const end = 1n << BigInt(bytes * 8);
  closeBefore(end);
  // A range after the last address has no start.
  if (starts.at(-1) === end) {
    starts.pop();
    verdicts.pop();
  }
  return { starts: encode(starts, bytes), verdicts: Buffer.from(verdicts).toString('base64') };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encode(starts: readonly bigint[], bytes: number): string {
  const text = starts.map((start) => start.toString(16).padStart(bytes * 2, '0')).join('');
  return Buffer.from(text, 'hex').toString('base64');
}

export class AddressTable {
  readonly #starts4: Uint32Array;
  readonly #starts6: Uint32Array;
  readonly #verdicts4: Uint8Array;
  readonly #verdicts6: Uint8Array;
  readonly #words = new Uint32Array(4);

  constructor({ ipv4, ipv6, verdicts4, verdicts6 }: AddressRanges) {
    this.#starts4 = wordsOf(ipv4);
    this.#starts6 = wordsOf(ipv6);
    this.#verdicts4 = Buffer.from(verdicts4, 'base64');
    this.#verdicts6 = Buffer.from(verdicts6, 'base64');
  }

  /** Verdict on an address; `none` for a text that is no address. */
  find(address: string): Verdict {
    const version = readAddress(address, this.#words);
    if (version === 0) return VERDICT.none;
    const verdicts = version === 4 ? this.#verdicts4 : this.#verdicts6;
    let [low, high] = [0, verdicts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (version === 4 ? this.#starts4[middle]! <= this.#words[0]! : this.#begins6(middle)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? VERDICT.none : (verdicts[low - 1]! as Verdict);
  }

  /** Whether an IPv6 range begins at the address or before it. */
  #begins6(range: number): boolean {
    for (let word = 0; word < 4; word += 1) {
      const start = this.#starts6[range * 4 + word]!;
      if (start !== this.#words[word]!) return start < this.#words[word]!;
    }
    return true;
  }
}

function wordsOf(base64: string): Uint32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32BE(at * 4));
}
