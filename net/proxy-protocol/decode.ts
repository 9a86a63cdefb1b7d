// Decodes the PROXY protocol header at the start of received bytes. Pure: no socket, and nothing is kept between calls, so
// that a header may arrive in any number of pieces. Thread: both.

import { decodeVersion1 } from './decode-v1.ts';
import { decodeVersion2 } from './decode-v2.ts';
import type { DecodedProxyHeader } from './header.ts';

/**
 * Decodes the header at `start`. Never throws, and never reads beyond `end`.
 * @param end end of the received bytes
 */
export function decodeProxyHeader(bytes: Buffer, start = 0, end = bytes.length): DecodedProxyHeader {
  if (start >= end) return { kind: 'incomplete' };
  const received = bytes.subarray(start, end);
  return received[0] === 0x50 ? decodeVersion1(received) : decodeVersion2(received);
}
