// Snapshots built from parts, for tests without YAML. Thread: both.

import type { Template } from '../../core/template.ts';
import { E_GENERATION, E_LIMIT, E_WEIGHT } from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { HeaderEdits } from '../../proxy/policies/header-edits.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { Priority, RouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { StickySnapshot, UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

export function endpointSnapshot(slot: number, parts: Partial<EndpointSnapshot> = {}): EndpointSnapshot {
  const port = parts.port ?? 3000 + slot;
  return {
    name: `api/127.0.0.1:${port}`,
    id: `127.0.0.1:${port}`,
    slot,
    generation: 1,
    protocol: 'http',
    host: '127.0.0.1',
    port,
    socketPath: '',
    weight: 1,
    backup: false,
    source: 'config',
    origin: 'configured',
    zone: '',
    metadata: {},
    ...parts,
  };
}

export function policySnapshot(name: string, data: unknown, parts: Partial<PolicySnapshot> = {}): PolicySnapshot {
  return { name, index: 0, stage: 'shape', needs: [], data, ...parts };
}

/** Built-in policies as they are compiled. */
const built = {
  shedding: (priority: Priority) =>
    policySnapshot('shedding', { priority }, { index: 0, stage: 'admit', needs: ['reply'] }),
  headerEdits: (edits: Partial<HeaderEdits>) =>
    policySnapshot('header-edits', { ...NO_EDITS, ...edits }, { index: 1, stage: 'forward' }),
  sticky: (sticky: StickySnapshot) => policySnapshot('sticky-cookie', { sticky }, { index: 2, stage: 'forward' }),
  forwarding: (forwarded: boolean) =>
    policySnapshot('forwarding-fields', { forwarded }, { index: 3, stage: 'identify' }),
};

const NO_EDITS: HeaderEdits = { requestHeaders: { set: [], remove: [] }, responseHeaders: { set: [], remove: [] } };

/** @param parts `sticky` becomes the policy */
export function upstreamSnapshot({
  sticky = null,
  ...parts
}: Partial<UpstreamSnapshot> & { readonly sticky?: StickySnapshot | null } = {}): UpstreamSnapshot {
  return {
    name: 'api',
    policies: sticky === null ? [] : [built.sticky(sticky)],
    index: 0,
    balance: { kind: 'round-robin' },
    endpoints: [endpointSnapshot(0), endpointSnapshot(1), endpointSnapshot(2)],
    discovery: null,
    protocol: 'http1',
    proxyProtocol: null,
    onDown: 'keep',
    heartbeat: null,
    passive: {
      consecutiveFailures: 5,
      stallMs: 100,
      ejectionBaseMs: 10_000,
      ejectionMaxMs: 300_000,
      maxEjectedPercent: 50,
      outliers: null,
    },
    retry: {
      attempts: 1,
      onConnectFailure: true,
      onReset: true,
      onTimeout: true,
      statuses: [],
      grpcStatuses: [],
      perTryTimeoutMs: 0,
      budgetRatio: 0.2,
      budgetMin: 3,
      bufferBytes: 65_536,
    },
    timeouts: {
      connectMs: 30_000,
      responseMs: 60_000,
      idleMs: 60_000,
      queueMs: 5000,
      tunnelMs: 3_600_000,
      keepAliveMs: 60_000,
    },
    limits: { maxConnections: 0, maxQueue: 0, maxIdle: 64, isAdaptive: false },
    hedge: null,
    whenAllDown: 'fail',
    slowStartMs: 0,
    backupBelowPercent: 0,
    tls: { verify: true, ca: [], serverName: '' },
    locality: null,
    responseHeadBytes: 32_768,
    ...parts,
  };
}

/** A template without values. */
export function literal(text: string): Template {
  return { form: 'text', text, parts: [text] };
}

/** @param parts `requestHeaders` and `responseHeaders` become the policy */
export function routeSnapshot(parts: Partial<RouteSnapshot> & Partial<HeaderEdits> = {}): RouteSnapshot {
  const { requestHeaders, responseHeaders, ...rest } = parts;
  const edits = { ...(requestHeaders && { requestHeaders }), ...(responseHeaders && { responseHeaders }) };
  const isForwarded = (parts.action?.kind ?? 'upstream') === 'upstream';
  return {
    name: 'all',
    policies: [
      ...(isForwarded ? [built.shedding(parts.priority ?? 'default')] : []),
      ...(Object.keys(edits).length > 0 ? [built.headerEdits(edits)] : []),
    ],
    match: { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] },
    action: { kind: 'upstream', upstream: 0 },
    hostField: { kind: 'client' },
    overrides: null,
    upload: null,
    bodyBytes: 0,
    priority: 'default',
    ...rest,
  };
}

/** @param parts `forwarded` becomes the policy's */
export function listenerSnapshot({
  forwarded = false,
  ...parts
}: Partial<ListenerSnapshot> & { readonly forwarded?: boolean } = {}): ListenerSnapshot {
  return {
    name: 'web',
    policies: [built.forwarding(forwarded)],
    index: 0,
    bind: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    proxyProtocol: null,
    mode: 'http',
    readsHello: false,
    tls: null,
    http2: false,
    trustedProxies: [],
    trustedOnlyFields: [],
    underscoreFields: 'drop',
    pathNormalization: { ambiguous: 'normalize', forward: 'received' },
    limits: {
      headBytes: 32_768,
      headFields: 200,
      requestLineBytes: 8192,
      bodyBytes: 0,
      connections: 0,
      connectionsPerClient: 0,
      streams: 256,
      requestsPerConnection: 0,
    },
    timeouts: { headMs: 15_000, bodyIdleMs: 30_000, sendIdleMs: 30_000, keepAliveMs: 75_000, handshakeMs: 10_000 },
    ...parts,
  };
}

export function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    revision: 1,
    membership: 0,
    workers: 1,
    fastPath: false,
    listeners: [listenerSnapshot()],
    routes: [routeSnapshot()],
    tcpRoutes: [],
    upstreams: [upstreamSnapshot()],
    plugins: [],
    overload: { memoryBytes: 0, requests: 0, eventLoopLagMs: 0, replayBytes: 67_108_864 },
    admin: null,
    accessLog: null,
    tracing: null,
    register: [],
    log: { level: 'info', format: 'auto' },
    drainDelayMs: 0,
    graceMs: 30_000,
    reload: { drainMs: 30_000, hardStopMs: 0 },
    healthState: null,
    ...parts,
  };
}

/** A region in which every endpoint of the Snapshot is up, with its weight and limit, as main writes it. */
export function regionFor(made: Snapshot, workers = 2): Region {
  const region = Region.allocate({ endpoints: 32, upstreams: 8, workers, listeners: 4 }, Date.now());
  for (const upstream of made.upstreams) {
    for (const endpoint of upstream.endpoints) {
      const word = region.endpointWord(endpoint.slot);
      region.words[word + E_WEIGHT] = endpoint.weight;
      region.words[word + E_LIMIT] = upstream.limits.maxConnections;
      region.words[word + E_GENERATION] = endpoint.generation;
    }
  }
  return region;
}
