// Fields of the statistics lanes: workers count with plain adds, main sums. Thread: both.

/** Upper bounds of the latency histogram in ms: ten per decade from 0.1 ms (Renard R10), so at most 26 % off. */
const DECADE = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8];
export const LATENCY_BOUNDS_MS: readonly number[] = [-1, 0, 1, 2, 3, 4]
  .flatMap((power) => DECADE.map((step) => Number((step * 10 ** power).toPrecision(3))))
  .concat(100_000);
/** One bucket more than bounds, for latencies above the last bound. */
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/** Per endpoint: attempts and their outcomes. */
export const ENDPOINT_FIELDS = [
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
  'attempts',
  'retries',
  'failuresConnect',
  'failuresReset',
  'failuresTimeout',
  'failuresProtocol',
  'failuresTruncated',
  'ok',
  'fail',
  'bytesSent',
  'bytesReceived',
  'connectionsOpened',
  'connectionsReused',
  'connectionsOpen',
  'connectionsIdle',
  'upgradesOpen',
  'http2Connections',
  'http2Streams',
  'http2ResetsSent',
  'http2ResetsReceived',
  'http2StreamsRefused',
  'http2GoawaysSent',
  'http2GoawaysReceived',
  'latencySumMs',
] as const;

/** Per upstream: exchanges as the client saw them, and copies of requests that were mirrored to it. */
export const UPSTREAM_FIELDS = [
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
  'exchanges',
  'retries',
  'redispatches',
  'retryBudgetExhausted',
  'retriesRefused',
  'hedges',
  'hedgesWon',
  'queued',
  'queueTimeouts',
  'queueFull',
  'shed',
  'noEndpoint',
  'clientAborts',
  'endpointAborts',
  'truncated',
  'upgrades',
  'picksOwnZone',
  'picksOtherZone',
  'mirrorsSent',
  'mirrorsFailed',
  'mirrorsDroppedBusy',
  'mirrorsDroppedBody',
  'mirrorsDroppedMemory',
  'mirrorsDroppedOverload',
  'mirrorsDroppedUnfinished',
  'latencySumMs',
] as const;

/** Per listener: connections and their requests. */
export const LISTENER_FIELDS = [
  'connectionsAccepted',
  'connectionsOpen',
  'connectionsRefused',
  'clientConnectionsRefused',
  'connectionsEvicted',
  'clientConnectionsEvicted',
  'processConnectionsEvicted',
  'requests',
  'badRequests',
  'noRoute',
  'proxyHeadersRefused',
  'proxyPeersRefused',
  'tlsFull',
  'tlsResumed',
  'tlsFailedClosed',
  'tlsFailedTimeout',
  'tlsFailedNotTls',
  'tlsFailedVersion',
  'tlsFailedCipher',
  'tlsFailedProtocol',
  'tlsFailedName',
  'tlsFailedRefused',
  'tlsFailedClient',
  'tlsFailedOther',
  'bytesReceived',
  'bytesSent',
  'handOffs',
  'forwardedSpoofs',
  'timeouts',
  'http2Connections',
  'http2ConnectionsAccepted',
  'http2Streams',
  'http2ResetsSent',
  'http2ResetsReceived',
  'http2StreamsRefused',
  'http2GoawaysSent',
  'http2GoawaysReceived',
  'responses1xx',
  'responses2xx',
  'responses3xx',
  'responses4xx',
  'responses5xx',
] as const;

/** Counted per policy name: calls of its hooks, requests that it only reported, and the response bodies that passed its transforms. */
export const POLICY_FIELDS = [
  'allowed',
  'refused',
  'errors',
  'overruns',
  'reported',
  'calls',
  'callFailures',
  'callMs',
  'bodies',
  'bodyBytesIn',
  'bodyBytesOut',
] as const;

/** Fields that are levels: they are incremented and decremented. All others only grow. */
export const ENDPOINT_LEVELS = [
  'connectionsOpen',
  'connectionsIdle',
  'upgradesOpen',
  'http2Connections',
  'http2Streams',
] as const satisfies readonly EndpointField[];
export const LISTENER_LEVELS = [
  'connectionsOpen',
  'http2Connections',
  'http2Streams',
] as const satisfies readonly ListenerField[];

export type EndpointField = (typeof ENDPOINT_FIELDS)[number];
export type UpstreamField = (typeof UPSTREAM_FIELDS)[number];
export type ListenerField = (typeof LISTENER_FIELDS)[number];
export type PolicyField = (typeof POLICY_FIELDS)[number];

function indexed<const Names extends readonly string[]>(names: Names): { readonly [K in Names[number]]: number } {
  return Object.fromEntries(names.map((name, index) => [name, index])) as { [K in Names[number]]: number };
}

/** Offsets of the fields within a block. */
export const ENDPOINT_FIELD = indexed(ENDPOINT_FIELDS);
export const UPSTREAM_FIELD = indexed(UPSTREAM_FIELDS);
export const LISTENER_FIELD = indexed(LISTENER_FIELDS);
export const POLICY_FIELD = indexed(POLICY_FIELDS);

/** Size of a block in 64-bit words: its fields, then its latency buckets if it has any. */
export const ENDPOINT_BLOCK = ENDPOINT_FIELDS.length + LATENCY_BUCKETS;
export const UPSTREAM_BLOCK = UPSTREAM_FIELDS.length + LATENCY_BUCKETS;
export const LISTENER_BLOCK = LISTENER_FIELDS.length;
export const POLICY_BLOCK = POLICY_FIELDS.length;

/** Index of the latency bucket for `ms`: the first whose bound is at least `ms`. */
export function latencyBucketOf(ms: number): number {
  if (!(ms > 0.1)) return 0;
  let bucket = Math.min(LATENCY_BUCKETS - 1, Math.max(0, Math.floor((Math.log10(ms) + 1) * 10)));
  while (bucket > 0 && ms <= LATENCY_BOUNDS_MS[bucket - 1]!) bucket--;
  while (bucket < LATENCY_BOUNDS_MS.length && ms > LATENCY_BOUNDS_MS[bucket]!) bucket++;
  return bucket;
}
