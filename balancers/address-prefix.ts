// The part of an IP address that stands for one client: all of an IPv4 address, the first 64 bits of an IPv6 one (a
// customer gets at least a /64, and privacy extensions (RFC 8981) change the rest daily). Thread: both.

const IPV6_GROUPS = 8;
const PREFIX_GROUPS = 4;
const groups = new Uint16Array(IPV6_GROUPS);
const dotted = new Uint8Array(4);

/**
 * Writes the prefix of a textual address into `out`, which has room for 8 bytes: 4 bytes of IPv4 (also of an
 * IPv4-mapped one, ::ffff:a.b.c.d), 8 of IPv6. Returns how many; 0 when the text is no address (a Unix socket's).
 */
export function writeAddressPrefix(text: string, out: Uint8Array): number {
  if (!text.includes(':')) return writeIpv4(text, out) ? 4 : 0;
  const zone = text.indexOf('%');
  if (!readIpv6(zone < 0 ? text : text.slice(0, zone))) return 0;
  if (isMapped()) {
    writeGroups(6, 2, out);
    return 4;
  }
  writeGroups(0, PREFIX_GROUPS, out);
  return 8;
}

/** Dotted decimal: four numbers up to 255. */
function writeIpv4(text: string, out: Uint8Array): boolean {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return false;
  parts.forEach((part, index) => (out[index] = Number(part)));
  return true;
}

/** RFC 4291 section 2.2: groups of hex digits, at most one '::' for groups of zeros, the last two perhaps dotted. */
function readIpv6(text: string): boolean {
  const gap = text.indexOf('::');
  const left = gap < 0 ? text : text.slice(0, gap);
  const right = gap < 0 ? '' : text.slice(gap + 2);
  groups.fill(0);
  const leftCount = readGroups(left, 0, gap < 0);
  if (leftCount < 0) return false;
  if (gap < 0) return leftCount === IPV6_GROUPS;
  const rightCount = readGroups(right, leftCount, true);
  if (rightCount < 0 || leftCount + rightCount >= IPV6_GROUPS) return false;
  groups.copyWithin(IPV6_GROUPS - rightCount, leftCount, leftCount + rightCount);
  groups.fill(0, leftCount, IPV6_GROUPS - rightCount);
  return true;
}

/**
 * Reads groups into `groups` from index `at`. Returns how many, or -1 when the text is malformed or too long.
 * @param isEnd whether the text ends the address, so that its last part may be dotted.
 */
function readGroups(text: string, at: number, isEnd: boolean): number {
  if (text === '') return 0;
  const parts = text.split(':');
  const last = parts.at(-1)!;
  const hasDotted = isEnd && writeIpv4(last, dotted);
  const plain = hasDotted ? parts.slice(0, -1) : parts;
  const count = plain.length + (hasDotted ? 2 : 0);
  if (at + count > IPV6_GROUPS || !plain.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return -1;
  plain.forEach((part, index) => (groups[at + index] = Number.parseInt(part, 16)));
  if (hasDotted) {
    groups[at + count - 2] = (dotted[0]! << 8) | dotted[1]!;
    groups[at + count - 1] = (dotted[2]! << 8) | dotted[3]!;
  }
  return count;
}

function isMapped(): boolean {
  return groups[5] === 0xffff && groups.subarray(0, 5).every((group) => group === 0);
}

function writeGroups(from: number, count: number, out: Uint8Array): void {
  for (let index = 0; index < count; index++) {
    out[index * 2] = groups[from + index]! >> 8;
    out[index * 2 + 1] = groups[from + index]! & 0xff;
  }
}
