// What the connections of a pool depend on: a reload that changes nothing of it keeps them. Thread: worker.

import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';

/** All of it as one text, to be compared. */
export function connectionSettings(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): string {
  const { slot, generation, protocol, host, port, socketPath } = endpoint;
  const { tls, timeouts, limits, responseHeadBytes } = upstream;
  const { connectMs, keepAliveMs } = timeouts;
  const where = [slot, generation, protocol, host, port, socketPath];
  return JSON.stringify([where, tls, connectMs, keepAliveMs, limits.maxIdle, responseHeadBytes]);
}
