// Endpoints that an upstream can't have, whichever source yields them: those of another kind of protocol. Thread: main.

import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { type DiscoveredEndpoint, idOf } from './source.ts';

/** The parts of an upstream that decide. */
export type Admitting = Pick<UpstreamSnapshot, 'name' | 'protocol'>;

/** The reason why an upstream can't have the endpoint, with the remedy; null where it can. */
export function refusalOf(endpoint: DiscoveredEndpoint, { name, protocol }: Admitting): string | null {
  // The URL of a Unix socket has no protocol.
  if (endpoint.socketPath !== '') return null;
  const isTcp = endpoint.protocol === 'tcp' || endpoint.protocol === 'tls';
  if (isTcp && protocol !== 'tcp') {
    return `${urlOf(endpoint)} serves TCP sessions, and upstream ${name} serves HTTP requests: give it an http:// or https:// URL`;
  }
  if (!isTcp && protocol === 'tcp') {
    return `${urlOf(endpoint)} serves HTTP requests, and upstream ${name} serves TCP sessions: give it a tcp:// or tls:// URL`;
  }
  if (protocol === 'auto' && endpoint.protocol === 'http') {
    const reason = 'has protocol: auto, which an endpoint chooses in the TLS handshake';
    return `${urlOf(endpoint)} has no TLS, and upstream ${name} ${reason}: give it an https:// URL`;
  }
  return null;
}

function urlOf(endpoint: DiscoveredEndpoint): string {
  return `${endpoint.protocol}://${idOf(endpoint)}`;
}
