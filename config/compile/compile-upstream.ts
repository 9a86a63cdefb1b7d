// Compiles an upstream. Thread: main.

import type { DiscoverySnapshot } from '../../core/snapshot/discovery.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HeartbeatSnapshot, PassiveSnapshot } from '../../core/snapshot/health.ts';
import type { LocalitySnapshot } from '../../core/snapshot/locality.ts';
import type { UpstreamOverrides } from '../../core/snapshot/route.ts';
import type { ProxyTlv, RetrySnapshot, UpstreamSnapshot, UpstreamTimeouts } from '../../core/snapshot/upstream.ts';
import { compileBalance } from '../../balancers/registry.ts';
import { settingsOfName } from '../../discovery/dns-source.ts';
import { sourceNamed } from '../../discovery/sources.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { checkerNamed } from '../../health/checkers/checkers.ts';
import { endpointId } from '../values/endpoint-address.ts';
import type { HeartbeatConfig } from '../schema/schema-heartbeat.ts';
import { GRPC_CONDITIONS, type RetryConfig } from '../schema/schema-retry.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import type { EndpointConfig, UpstreamConfig } from '../schema/schema-upstreams.ts';
import type { SlotAssignment } from './slots.ts';

/** Slots of an upstream and its endpoints in shared memory, its compiled policies, and the files that it refers to. */
export interface UpstreamPlace {
  readonly index: number;
  readonly policies: readonly PolicySnapshot[];
  readonly endpoints: readonly SlotAssignment[];
  /** Texts of the CA files by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Directory that relative paths refer to. */
  readonly directory: string;
  /** Zone of this Fairlead; '' where it is unknown. */
  readonly zone: string;
  /** Whether it serves TCP sessions. */
  readonly isTcp: boolean;
}

export function compileUpstream(name: string, config: UpstreamConfig, place: UpstreamPlace): UpstreamSnapshot {
  const { health, limits, tls } = config;
  const { heartbeat, passive } = health;
  return {
    name,
    policies: place.isTcp ? [] : place.policies,
    index: place.index,
    balance: compileBalance(config.balance, { endpointCount: config.endpoints.length }),
    endpoints: listedEndpoints(config).map((endpoint, index) =>
      compileEndpoint(name, endpoint, place.endpoints[index]!),
    ),
    discovery: compileDiscovery(name, config, place.directory),
    proxyProtocol: compileProxyProtocol(config.proxyProtocol),
    protocol: place.isTcp ? 'tcp' : config.protocol,
    onDown: config.onDown,
    heartbeat: heartbeat === undefined || heartbeat === false ? null : compileHeartbeat(heartbeat),
    passive: compilePassive(passive),
    retry: compileRetry(config.retry),
    // A session has no response that a timeout could bound, or that would bound the time in the queue.
    timeouts: compileTimeouts(place.isTcp ? { ...config.timeouts, response: 0, idle: 0 } : config.timeouts),
    limits: {
      maxConnections: limits.maxConnections,
      maxQueue: limits.maxQueue,
      maxIdle: limits.maxIdle,
      isAdaptive: !place.isTcp && limits.concurrency === 'auto',
    },
    hedge: place.isTcp ? null : (config.hedge?.after ?? null),
    whenAllDown: config.whenAllDown,
    slowStartMs: config.slowStart,
    backupBelowPercent: config.backups?.below ?? 0,
    locality: compileLocality(config.locality, place.zone),
    tls: compileTls(tls, place.files),
    responseHeadBytes: limits.responseHead,
  };
}

function compileLocality(locality: UpstreamConfig['locality'], zone: string): LocalitySnapshot | null {
  return locality === undefined ? null : { zone, spillBelowPercent: locality.spillBelow };
}

function compileTls(
  { verify, ca = [], serverName = '', cert, key }: UpstreamConfig['tls'],
  files: ReadonlyMap<string, string>,
): UpstreamSnapshot['tls'] {
  const textOf = (file: string): string => files.get(file) ?? '';
  const certificate = cert === undefined || key === undefined ? null : { cert: textOf(cert), key: textOf(key) };
  return { verify, ca: ca.map(textOf), serverName, certificate };
}

const DEFAULT_TLVS: readonly ProxyTlv[] = ['alpn', 'authority', 'uniqueId', 'tls'];

function compileProxyProtocol(options: UpstreamConfig['proxyProtocol']): UpstreamSnapshot['proxyProtocol'] {
  if (options === undefined) return null;
  return { version: options.version === 'v1' ? 1 : 2, tlvs: options.tlvs ?? DEFAULT_TLVS };
}

/** Name of an endpoint for operators, and key of its slot. Names of upstreams contain no slash. */
export function endpointName(upstream: string, endpoint: EndpointConfig): string {
  return `${upstream}/${endpointId(endpoint.url)}`;
}

function compileEndpoint(upstream: string, endpoint: EndpointConfig, place: SlotAssignment): EndpointSnapshot {
  const { protocol, host, port, socketPath } = endpoint.url;
  return {
    name: endpointName(upstream, endpoint),
    id: endpointId(endpoint.url),
    slot: place.slot,
    generation: place.generation,
    protocol,
    host,
    port,
    socketPath,
    weight: endpoint.weight,
    backup: endpoint.backup,
    source: 'config',
    origin: 'configured',
    zone: endpoint.zone,
    metadata: {},
  };
}

/** Endpoints that the configuration lists by address, or by a name that is resolved when connecting. */
export function listedEndpoints({ endpoints }: Pick<UpstreamConfig, 'endpoints'>): readonly EndpointConfig[] {
  return endpoints.filter(({ resolve }) => resolve === 'connect');
}

function compileDiscovery(upstream: string, config: UpstreamConfig, directory: string): DiscoverySnapshot | null {
  const place = { upstream, directory, serverName: config.tls.serverName ?? '' };
  const named = config.endpoints
    .filter(({ resolve }) => resolve === 'all')
    .map(({ url: { host, ...url }, weight, backup, zone }) => {
      return {
        kind: 'dns',
        settings: settingsOfName(host, { port: url.port, protocol: url.protocol, weight, backup, zone }),
      };
    });
  const sources = Object.entries(config.discover?.sources ?? {}).map(([kind, options]) => {
    return { kind, settings: sourceNamed(kind).compile(options, place) };
  });
  const guard = config.discover?.guard ?? null;
  if (named.length + sources.length === 0) return null;
  return {
    sources: [...named, ...sources],
    guard: guard === null ? null : { maxRemovedPercent: guard.maxRemovedPercent, holdMs: guard.hold },
  };
}

/** Reduces default times to a shorter interval (validation refuses written ones). */
function compileHeartbeat(heartbeat: HeartbeatConfig): HeartbeatSnapshot {
  return {
    acceptsAgentFeedback: false,
    isDecisive: false,
    ...checkerNamed(heartbeat.type).compile(heartbeat),
    kind: heartbeat.type,
    port: heartbeat.port ?? 0,
    intervalMs: heartbeat.interval,
    fastIntervalMs: Math.min(heartbeat.fastInterval, heartbeat.interval),
    downIntervalMs: heartbeat.downInterval,
    timeoutMs: Math.min(heartbeat.timeout, heartbeat.interval),
    rise: heartbeat.rise,
    fall: heartbeat.fall,
  };
}

function compilePassive(passive: UpstreamConfig['health']['passive']): PassiveSnapshot {
  const { outliers, ejection } = passive;
  return {
    consecutiveFailures: passive.consecutiveFailures,
    stallMs: passive.stallAfter,
    ejectionBaseMs: ejection.base,
    ejectionMaxMs: ejection.max,
    maxEjectedPercent: passive.maxEjectedPercent,
    outliers:
      outliers === false
        ? null
        : {
            intervalMs: outliers.interval,
            minRequests: outliers.minRequests,
            minGap: outliers.minGap / 100,
            sigmas: outliers.sigmas,
          },
  };
}

function compileRetry(retry: RetryConfig): RetrySnapshot {
  return {
    attempts: retry.attempts,
    ...conditionsOf(retry.on),
    perTryTimeoutMs: retry.perTryTimeout ?? 0,
    budgetRatio: retry.budget.ratio,
    budgetMin: retry.budget.min,
    bufferBytes: retry.buffer,
  };
}

function conditionsOf(
  on: RetryConfig['on'],
): Pick<RetrySnapshot, 'onConnectFailure' | 'onReset' | 'onTimeout' | 'statuses' | 'grpcStatuses'> {
  const wanted = new Set<string | number>(on);
  return {
    onConnectFailure: on.includes('connect-failure'),
    onReset: on.includes('reset'),
    onTimeout: on.includes('timeout'),
    statuses: on.filter((condition) => typeof condition === 'number'),
    grpcStatuses: Object.entries(GRPC_CONDITIONS).flatMap(([word, status]) => (wanted.has(word) ? [status] : [])),
  };
}

/** The settings of upstreams that a route replaces; null for none. */
export function compileOverrides({ timeouts = {}, retry = {} }: RouteConfig): UpstreamOverrides | null {
  const { response, idle, queue, tunnel } = timeouts;
  const { attempts, on, perTryTimeout, buffer } = retry;
  const given = {
    timeouts: withoutAbsent({ responseMs: response, idleMs: idle, queueMs: queue, tunnelMs: tunnel }),
    retry: {
      ...withoutAbsent({ attempts, perTryTimeoutMs: perTryTimeout, bufferBytes: buffer }),
      ...(on === undefined ? {} : conditionsOf(on)),
    },
  };
  return Object.keys({ ...given.timeouts, ...given.retry }).length === 0 ? null : given;
}

function withoutAbsent<Key extends string>(
  values: Readonly<Record<Key, number | undefined>>,
): Partial<Record<Key, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<Key, number>
  >;
}

function compileTimeouts(timeouts: UpstreamConfig['timeouts']): UpstreamTimeouts {
  return {
    connectMs: timeouts.connect,
    responseMs: timeouts.response,
    idleMs: timeouts.idle,
    queueMs: queueMsOf(timeouts),
    tunnelMs: timeouts.tunnel,
    keepAliveMs: timeouts.keepAlive,
  };
}

/** A queue longer than this share of the response timeout sustains an overload (docs/algorithms.md 4.3). */
const QUEUE_SHARE = 0.4;

/** Longest useful queue timeout in ms for a response timeout in ms; infinite without one. */
export function longestQueueMs(responseMs: number): number {
  return responseMs === 0 ? Infinity : Math.max(1, Math.floor(responseMs * QUEUE_SHARE));
}

/** Effective queue timeout in ms. */
export function queueMsOf(timeouts: { readonly queue: number; readonly response: number }): number {
  return Math.min(timeouts.queue, longestQueueMs(timeouts.response));
}
