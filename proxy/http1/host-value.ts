// Grammar of the Host field's value: uri-host [":" port] (RFC 9110 section 7.2, RFC 3986 section 3.2.2). Thread: both.

import { CLASS, COLON, DIGIT, HEX_DIGIT, isAllOf, PERCENT, REG_NAME, ZERO } from './byte-class.ts';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MAX_PORT = 65_535;
const MAX_PORT_DIGITS = 5;
const IPV6_GROUPS = 8;
const MAX_GROUP_DIGITS = 4;
const MAX_OCTET = 255;

/**
 * Checks a Host value. An empty one is valid (RFC 9112 section 3.2); a user name, a second port, a port above 65535,
 * an IPv6 zone and IPvFuture are not. Stops Host values that two parsers would route differently.
 * @param start,end the value's range in `bytes`
 * @returns the end of the host without its port, or -1 if the value is invalid
 */
export function scanHostValue(bytes: Uint8Array, start: number, end: number): number {
  const isLiteral = start < end && bytes[start] === OPEN_BRACKET;
  const hostEnd = isLiteral ? ipLiteralEnd(bytes, start, end) : regNameEnd(bytes, start, end);
  if (hostEnd < 0 || hostEnd === end) return hostEnd;
  return bytes[hostEnd] === COLON && isPort(bytes, hostEnd + 1, end) ? hostEnd : -1;
}

function regNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (CLASS[bytes[at]!]! & REG_NAME) !== 0) {
    if (bytes[at] === PERCENT && !isEscape(bytes, at, end)) return -1;
    at += 1;
  }
  // A port without a host is invalid.
  return at === start && at < end ? -1 : at;
}

/** pct-encoded = "%" HEXDIG HEXDIG */
function isEscape(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 2 < end && (CLASS[bytes[at + 1]!]! & CLASS[bytes[at + 2]!]! & HEX_DIGIT) !== 0;
}

function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_PORT_DIGITS) return false;
  let port = 0;
  for (let at = start; at < end; at += 1) {
    if ((CLASS[bytes[at]!]! & DIGIT) === 0) return false;
    port = port * 10 + bytes[at]! - ZERO;
  }
  return port <= MAX_PORT;
}

/** @returns the offset after ']', or -1 */
function ipLiteralEnd(bytes: Uint8Array, start: number, end: number): number {
  let address = '';
  for (let at = start + 1; at < end; at += 1) {
    if (bytes[at] === CLOSE_BRACKET) return isIpv6(address) ? at + 1 : -1;
    address += String.fromCharCode(bytes[at]!);
  }
  return -1;
}

/** IPv6address of RFC 3986: up to eight groups, at most one '::', optionally an IPv4 address as the last two groups. */
function isIpv6(address: string): boolean {
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const [left = '', right = ''] = halves;
  const leftCount = countGroups(left, halves.length === 1);
  const rightCount = countGroups(right, true);
  if (leftCount < 0 || rightCount < 0) return false;
  const count = leftCount + rightCount;
  return halves.length === 2 ? count < IPV6_GROUPS : count === IPV6_GROUPS;
}

/** Number of 16-bit groups in a part of an IPv6 address, or -1 if it is malformed. */
function countGroups(part: string, mayEndInIpv4: boolean): number {
  if (part === '') return 0;
  const groups = part.split(':');
  const last = groups.at(-1)!;
  const hasIpv4 = mayEndInIpv4 && last.includes('.');
  if (hasIpv4) groups.pop();
  for (const group of groups) {
    if (group === '' || group.length > MAX_GROUP_DIGITS || !isAllOf(group, 0, group.length, HEX_DIGIT)) return -1;
  }
  if (!hasIpv4) return groups.length;
  return isIpv4(last) ? groups.length + 2 : -1;
}

function isIpv4(address: string): boolean {
  const octets = address.split('.');
  return (
    octets.length === 4 &&
    octets.every(
      (octet) =>
        octet !== '' && octet.length <= 3 && isAllOf(octet, 0, octet.length, DIGIT) && Number(octet) <= MAX_OCTET,
    )
  );
}
