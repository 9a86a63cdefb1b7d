// Host names, IP addresses and ports as text, wherever they are given. Thread: both.

import { isIP } from 'node:net';

/** Label of RFC 1123 section 2.1, plus the underscore that container platforms use. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const LONGEST_NAME = 253;

/** Whether `text` is a host name. Digits and dots alone are an address or a mistake, not a name. */
export function isHostName(text: string): boolean {
  if (text.length > LONGEST_NAME || /^[\d.]+$/.test(text)) return false;
  return text.split('.').every((label) => LABEL.test(label));
}

/** Whether `text` is a host name or an IP address (IPv6 without brackets). */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || isHostName(text);
}

/** Parses a port up to 65535, or returns null. Port 0 is allowed where the system may choose. */
export function parsePort(digits: string, lowest: 0 | 1): number | null {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits)) return null;
  const port = Number(digits);
  return port >= lowest && port <= 65_535 ? port : null;
}
