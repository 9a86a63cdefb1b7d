// The figures of a status that the charts of endpoints show, by their keys. Pure. Runs in the browser.

import type { Live, LiveEndpoint } from '../types.ts';

/** `NAME rate`, `NAME errors` (both per second), `NAME p50` and `NAME p99` (ms) of each endpoint. */
export function samplesOf({ upstreams }: Pick<Live, 'upstreams'>): Map<string, number | null> {
  const samples = new Map<string, number | null>();
  for (const upstream of upstreams) {
    for (const endpoint of upstream.endpoints) put(samples, `${upstream.name}/${endpoint.name}`, endpoint);
  }
  return samples;
}

function put(
  samples: Map<string, number | null>,
  name: string,
  { requestsPerSecond, errorShare, p50Ms, p99Ms }: LiveEndpoint,
): void {
  const errors = requestsPerSecond === null || errorShare === null ? null : requestsPerSecond * errorShare;
  samples.set(`${name} rate`, requestsPerSecond);
  samples.set(`${name} errors`, errors);
  samples.set(`${name} p50`, p50Ms);
  samples.set(`${name} p99`, p99Ms);
}
