// The figures of a status that charts show, by the keys that these read them with. Pure. Runs in the browser.

/** @import { Live } from './types.d.ts' */

/** @typedef {{ requestsPerSecond: number | null, errorShare: number | null, p50Ms: number | null, p99Ms: number | null }} Figures */

/** `NAME rate`, `NAME errors` (both per second), `NAME p50` and `NAME p99` (ms) of each upstream and endpoint. @param {Live} live */
export function samplesOf({ upstreams }) {
  /** @type {Map<string, number | null>} */
  const samples = new Map();
  for (const upstream of upstreams) {
    put(samples, upstream.name, upstream);
    for (const endpoint of upstream.endpoints) put(samples, `${upstream.name}/${endpoint.name}`, endpoint);
  }
  return samples;
}

/** @param {Map<string, number | null>} samples @param {string} name @param {Figures} figures */
function put(samples, name, { requestsPerSecond, errorShare, p50Ms, p99Ms }) {
  const errors = requestsPerSecond === null || errorShare === null ? null : requestsPerSecond * errorShare;
  samples.set(`${name} rate`, requestsPerSecond);
  samples.set(`${name} errors`, errors);
  samples.set(`${name} p50`, p50Ms);
  samples.set(`${name} p99`, p99Ms);
}
