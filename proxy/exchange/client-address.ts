// The client's address behind trusted proxies. Thread: both.

import { isIP } from 'node:net';
import { canonicalAddress } from '../../core/address.ts';
import type { ClientConnection } from '../../core/exchange-contract.ts';
import { splitHostPort } from '../../net/host-port.ts';

/** Limit of hops in X-Forwarded-For: a longer chain is an attack. */
const MAX_HOPS = 64;

/**
 * The client's address: the peer's or, behind a trusted peer, the rightmost address of X-Forwarded-For that isn't trusted.
 * The client may have forged addresses further left. A hop that is no address ends the search. Each address has one text, so
 * that logs, hashes and limits see one client.
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
    address = canonicalAddress(hop);
    if (!isTrusted(address)) return address;
  }
  return address;
}
