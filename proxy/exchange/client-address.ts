// Who the client is, seen through proxies that the listener trusts. Thread: both.

import { isIP } from 'node:net';
import type { ClientConnection } from '../../core/exchange-contract.ts';
import { splitHostPort } from '../../net/host-port.ts';

/** Hops of X-Forwarded-For that are looked at: more is somebody playing. */
const MAX_HOPS = 64;

/**
 * The client's address: the peer's, or where the peer is trusted the rightmost address of X-Forwarded-For that isn't.
 * Addresses further left may be forged by the client and are never believed. What isn't an address ends the walk.
 */
export function clientAddressOf(
  connection: Pick<ClientConnection, 'isTrusted' | 'peerAddress'>,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  if (!connection.isTrusted || forwardedFor === undefined) return connection.peerAddress;
  const hops = forwardedFor.split(',');
  let address = connection.peerAddress;
  for (let i = hops.length - 1; i >= 0 && hops.length - i <= MAX_HOPS; i--) {
    // Some proxies write a port: `1.2.3.4:5678`, `[::1]:5678`.
    const text = hops[i]!.trim();
    const hop = splitHostPort(text)?.host ?? text;
    if (isIP(hop) === 0) return address;
    address = hop;
    if (!isTrusted(hop)) return address;
  }
  return address;
}
