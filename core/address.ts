// IP addresses as 32-bit words, for look-ups and for keys of clients on the request path: node:net parses none without
// allocation. Thread: both.

const DOT = 0x2e;
const COLON = 0x3a;
const PERCENT = 0x25;
/** Third word of an IPv4-mapped address, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
const MAPPED = 0xffff;

/**
 * Parses an address into `words`, most significant first; an IPv4 address is in the first one. An IPv4-mapped address is
 * read as its IPv4 address, and a zone is ignored.
 * @returns the version; 0 for a text that is no address
 */
export function readAddress(text: string, words: Uint32Array): 4 | 6 | 0 {
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  const colon = text.indexOf(':');
  if (colon < 0 || colon >= end) return text.charCodeAt(end) !== PERCENT && readIPv4(text, 0, end, words, 0) ? 4 : 0;
  return readIPv6(text, end, words) ? unmapAddress(words) : 0;
}

/** Turns an IPv4-mapped address into its IPv4 address, in place. @returns the version that the words then have */
export function unmapAddress(words: Uint32Array): 4 | 6 {
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== MAPPED) return 6;
  words[0] = words[3]!;
  return 4;
}

/** Turns an IPv4 address into its IPv4-mapped address, in place. */
export function mapAddress(words: Uint32Array): void {
  words[3] = words[0]!;
  words[2] = MAPPED;
  words[0] = 0;
  words[1] = 0;
}

/**
 * The text of an address: an IPv6 address in the form of RFC 5952 section 4, in lower case with its longest run of zeros cut,
 * and without a dotted part.
 */
export function formatAddress(version: 4 | 6, words: Uint32Array): string {
  if (version === 4) return dotted(words[0]!);
  const texts = Array.from({ length: 8 }, (_, index) => groupOf(words, index).toString(16));
  const [gap, size] = longestZeros(words);
  if (size < 2) return texts.join(':');
  return `${texts.slice(0, gap).join(':')}::${texts.slice(gap + size).join(':')}`;
}

/** The first one of the longest runs of zero groups. */
function longestZeros(words: Uint32Array): [start: number, size: number] {
  let best: [number, number] = [0, 0];
  let size = 0;
  for (let index = 0; index < 8; index += 1) {
    size = groupOf(words, index) === 0 ? size + 1 : 0;
    if (size > best[1]) best = [index + 1 - size, size];
  }
  return best;
}

function groupOf(words: Uint32Array, index: number): number {
  const word = words[index >>> 1]!;
  return index % 2 === 0 ? word >>> 16 : word & 0xffff;
}

/**
 * The part of an address that stands for one client: an IPv4 address, or the first 64 bits of an IPv6 address, of which a
 * client chooses the others freely (RFC 4291 section 2.5.4). Other texts are returned as they are.
 */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const version = readAddress(address, scratch);
  if (version === 0) return address;
  const [first, second] = [scratch[0]!, scratch[1]!];
  return version === 4 ? dotted(first) : `${groups(first)}:${groups(second)}::/64`;
}

/**
 * One text for each address: IPv6 as `formatAddress` writes it, an IPv4-mapped address as IPv4, without a zone. Other texts are
 * returned as they are.
 */
export function canonicalAddress(text: string): string {
  if (!text.includes(':')) return text;
  const version = readAddress(text, scratch);
  return version === 0 ? text : formatAddress(version, scratch);
}

const scratch = new Uint32Array(4);

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function groups(word: number): string {
  return `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
}

/** Four decimal numbers without leading zeros, which some parsers read as octal. */
function readIPv4(text: string, start: number, end: number, words: Uint32Array, word: number): boolean {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0 || (dots += 1) > 3) return false;
      value = value * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || octet === 0) return false;
    octet = Math.max(octet, 0) * 10 + digit;
    if (octet > 255) return false;
  }
  if (octet < 0 || dots !== 3) return false;
  words[word] = value * 256 + octet;
  return true;
}

const parsedGroups = new Uint16Array(8);

function readIPv6(text: string, end: number, words: Uint32Array): boolean {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    const stop = groupEnd(text, at, end);
    if (text.charCodeAt(stop) === DOT) {
      if (count > 6 || !readIPv4(text, at, end, words, 3)) return false;
      parsedGroups[count++] = words[3]! >>> 16;
      parsedGroups[count++] = words[3]! & 0xffff;
      at = end;
      break;
    }
    const group = stop - at > 4 || stop === at ? -1 : hexOf(text, at, stop);
    if (group < 0 || count === 8) return false;
    parsedGroups[count++] = group;
    at = stop;
    if (at === end) break;
    at += 1;
    if (at < end && text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at += 1;
    } else if (at === end) return false;
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  spread(count, gap < 0 ? 8 : gap, words);
  return true;
}

/** Writes `count` groups to the words, with zeros at `gap` in place of '::'. */
function spread(count: number, gap: number, words: Uint32Array): void {
  const zeros = 8 - count;
  for (let word = 0; word < 4; word += 1) {
    words[word] = groupAt(word * 2, gap, zeros) * 0x1_0000 + groupAt(word * 2 + 1, gap, zeros);
  }
}

function groupAt(index: number, gap: number, zeros: number): number {
  if (index < gap) return parsedGroups[index]!;
  return index < gap + zeros ? 0 : parsedGroups[index - zeros]!;
}

function groupEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== COLON && text.charCodeAt(at) !== DOT) at += 1;
  return at;
}

/** @returns -1 where a character is no hexadecimal digit */
function hexOf(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}
