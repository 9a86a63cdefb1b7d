// Compiles a validated configuration to a Snapshot. Thread: main.

import os from 'node:os';
import path from 'node:path';
import { POLICY_CAPACITY, type RegionCapacity } from '../../core/memory/region.ts';
import type {
  ClientLimits,
  ClientTimeouts,
  ListenerSnapshot,
  ProxyProtocolSnapshot,
} from '../../core/snapshot/listener.ts';
import type {
  NamedMatch,
  OtherConditions,
  RouteAction,
  RouteMatch,
  RouteSnapshot,
  ValueMatch,
} from '../../core/snapshot/route.ts';
import type { LogFilter, OverloadSnapshot, Snapshot, SyslogSnapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { compileAdmin } from './compile-admin.ts';
import { compileTcpRoute, readsHello, tcpPolicies } from './compile-tcp.ts';
import { compileTls } from './compile-tls.ts';
import { compileRegistration } from '../../discovery/consul/registration-settings.ts';
import { compileTracing } from './compile-tracing.ts';
import { compileOverrides, compileUpstream, endpointName, listedEndpoints } from './compile-upstream.ts';
import type { LoadedConfig } from '../load.ts';
import type { CompiledPolicies } from '../policies/compile-policies.ts';
import type { CompiledPolicy } from '../policies/policy-place.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { Config } from '../schema/schema.ts';
import type { OverloadConfig } from '../schema/schema-process.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import { SlotTable, type SlotAssignment } from './slots.ts';
import { partsOf } from '../validate/parsed-config.ts';
import { isTcpRoute, tcpListenersOf, tcpUpstreams } from '../validate/tcp-mode.ts';
import { routeName } from '../validate/validate-routes.ts';
import { compileLogFormat } from '../../logging/access/log-formats.ts';

const MOST_WORKERS = 64;

/** Slot tables of one region. */
export interface CompileTables {
  /** By `upstream/address`. */
  readonly endpoints: SlotTable;
  /** By name. */
  readonly upstreams: SlotTable;
  /** By name. */
  readonly listeners: SlotTable;
  /** By name. */
  readonly policies: SlotTable;
}

/** Empty tables with the capacity of a region. */
export function newTables(capacity: Pick<RegionCapacity, 'endpoints' | 'upstreams' | 'listeners'>): CompileTables {
  return {
    endpoints: new SlotTable('endpoints', capacity.endpoints),
    upstreams: new SlotTable('upstreams', capacity.upstreams),
    listeners: new SlotTable('listeners', capacity.listeners),
    policies: new SlotTable('policies', POLICY_CAPACITY),
  };
}

/**
 * Compiles a configuration. The result is frozen to its depth and may be cloned to workers.
 * @param revision number of this Snapshot: higher than those before it
 * @throws CapacityError where the region has too few records; the tables are as before then
 */
export function compile(config: LoadedConfig, tables: CompileTables, revision: number): Snapshot {
  const { settings } = config;
  const places = assignPlaces(config, tables, revision);
  const parts = partsOf(settings);
  const upstreams = compileUpstreams(config, places);
  const indexOf = new Map(upstreams.map((upstream) => [upstream.name, upstream.index]));
  return deepFreeze({
    revision,
    membership: 0,
    workers: workersOf(settings),
    fastPath: settings.fastPath,
    listeners: settings.listeners.map((listener, at) => ({
      ...compileListener(listener, at, places, config),
      readsHello: readsHello(listener, parts),
    })),
    routes: settings.routes.flatMap((route, at) => {
      if (isTcpRoute(route, parts)) return [];
      const action = config.policies.actions[at] ?? upstreamAction(route, indexOf);
      const policies = places.policies(config.policies.routes[at]!);
      return [compileRoute(route, routeName(route, at), { action, policies })];
    }),
    tcpRoutes: settings.routes.flatMap((route, at) => {
      if (!isTcpRoute(route, parts)) return [];
      const policies = places.policies(tcpPolicies(config.policies.routes[at]!));
      const upstream = upstreamAction(route, indexOf).upstream;
      return [
        compileTcpRoute(route, {
          name: routeName(route, at),
          listeners: tcpListenersOf(route, parts),
          policies,
          upstream,
        }),
      ];
    }),
    upstreams,
    plugins: config.policies.plugins,
    overload: compileOverload(settings.overload),
    admin: settings.admin === undefined ? null : compileAdmin(settings.admin, config.files),
    accessLog: compileAccessLog(config),
    tracing: compileTracing(settings),
    register: compileRegister(config),
    log: settings.log,
    drainDelayMs: settings.shutdown.delay,
    graceMs: settings.shutdown.grace,
    reload: { drainMs: settings.reload.drain, hardStopMs: settings.reload.hardStop },
    healthState: compileHealthState(config),
  });
}

/** The same Snapshot under a later number, to be published again. */
export function renumber(snapshot: Snapshot, tables: CompileTables, revision: number): Snapshot {
  const { endpoints, upstreams, listeners, policies } = tables;
  for (const table of [endpoints, upstreams, listeners, policies]) table.keep(snapshot.revision, revision);
  return Object.freeze({ ...snapshot, revision });
}

function compileRegister({ settings, directory }: LoadedConfig): Snapshot['register'] {
  const consul = settings.register?.consul ?? [];
  return consul.map(({ listener = '', ...options }) => ({
    settings: compileRegistration(options, directory),
    listener,
  }));
}

function compileHealthState({ settings, directory }: LoadedConfig): Snapshot['healthState'] {
  if (settings.health === undefined) return null;
  const { stateFile, maxAge } = settings.health;
  return { file: path.resolve(directory, stateFile), maxAgeMs: maxAge };
}

/** Number of workers: as configured, or one per CPU available to the process. */
export function workersOf(settings: Pick<Config, 'workers'>): number {
  return settings.workers === 'auto' ? Math.min(MOST_WORKERS, os.availableParallelism()) : settings.workers;
}

interface Places {
  readonly listeners: readonly SlotAssignment[];
  readonly upstreams: readonly SlotAssignment[];
  /** Endpoints of all upstreams, concatenated. */
  readonly endpoints: readonly SlotAssignment[];
  /** Gives compiled policies their blocks. */
  readonly policies: PolicyPlacer;
}

type PolicyPlacer = (compiled: readonly CompiledPolicy[]) => PolicySnapshot[];

function policyPlacer(names: readonly string[], assigned: readonly SlotAssignment[]): PolicyPlacer {
  const indexOf = new Map(names.map((name, at) => [name, assigned[at]!.slot]));
  return (compiled) => compiled.map((policy) => ({ ...policy, index: indexOf.get(policy.name)! }));
}

/** Every name once: a policy counts for all places together. */
function policyNames({ listeners, routes, upstreams }: CompiledPolicies): string[] {
  return [...new Set([...listeners, ...routes, ...upstreams.values()].flat().map(({ name }) => name))];
}

/** Assigns all slots or none: checks the capacity of every table before changing any. */
function assignPlaces({ settings, policies }: LoadedConfig, tables: CompileTables, revision: number): Places {
  const upstreams = Object.entries(settings.upstreams);
  const identities = {
    listeners: settings.listeners.map((listener) => listener.name),
    policies: policyNames(policies),
    upstreams: upstreams.map(([name]) => name),
    endpoints: upstreams.flatMap(([name, upstream]) =>
      listedEndpoints(upstream).map((endpoint) => endpointName(name, endpoint)),
    ),
  };
  tables.listeners.refuseOverflow(identities.listeners);
  tables.upstreams.refuseOverflow(identities.upstreams);
  tables.policies.refuseOverflow(identities.policies);
  return {
    endpoints: tables.endpoints.assign(identities.endpoints, revision),
    upstreams: tables.upstreams.assign(identities.upstreams, revision),
    listeners: tables.listeners.assign(identities.listeners, revision),
    policies: policyPlacer(identities.policies, tables.policies.assign(identities.policies, revision)),
  };
}

function compileUpstreams(config: LoadedConfig, places: Places): UpstreamSnapshot[] {
  let first = 0;
  const tcp = tcpUpstreams(partsOf(config.settings));
  return Object.entries(config.settings.upstreams).map(([name, upstream], at) => {
    const endpoints = places.endpoints.slice(first, first + listedEndpoints(upstream).length);
    first += endpoints.length;
    const policies = places.policies(config.policies.upstreams.get(name)!);
    return compileUpstream(name, upstream, {
      index: places.upstreams[at]!.slot,
      endpoints,
      policies,
      files: config.files,
      directory: config.directory,
      zone: config.settings.zone,
      isTcp: tcp.has(name),
    });
  });
}

function compileListener(
  listener: ListenerConfig,
  at: number,
  places: Places,
  config: LoadedConfig,
): Omit<ListenerSnapshot, 'readsHello'> {
  const { settings, policies } = config;
  const isTcp = listener.mode === 'tcp';
  return {
    name: listener.name,
    policies: places.policies(isTcp ? tcpPolicies(policies.listeners[at]!) : policies.listeners[at]!),
    index: places.listeners[at]!.slot,
    bind: listener.bind,
    proxyProtocol: compileProxyProtocol(listener),
    mode: listener.mode,
    tls: listener.tls === undefined ? null : compileTls(listener.tls, listener, config),
    http2: listener.http2,
    trustedProxies: listener.trustedProxies,
    trustedOnlyFields: listener.trustedOnlyFields.map((name) => name.toLowerCase()),
    underscoreFields: listener.underscoreFields,
    pathNormalization: listener.pathNormalization,
    limits: compileLimits({ ...settings.limits, ...listener.limits }),
    timeouts: compileTimeouts({ ...settings.timeouts, ...listener.timeouts }),
  };
}

function compileProxyProtocol({ proxyProtocol, trustedProxies }: ListenerConfig): ProxyProtocolSnapshot | null {
  if (proxyProtocol === undefined || proxyProtocol === false) return null;
  const { trusted = trustedProxies, others, timeout } = proxyProtocol;
  return { trusted, others, timeoutMs: timeout };
}

function compileLimits(limits: Config['limits']): ClientLimits {
  return {
    headBytes: limits.head,
    headFields: limits.fields,
    requestLineBytes: limits.requestLine,
    bodyBytes: limits.body,
    connections: limits.connections,
    connectionsPerClient: limits.connectionsPerClient,
    streams: limits.streams,
    requestsPerConnection: limits.requestsPerConnection,
  };
}

function compileTimeouts(timeouts: Config['timeouts']): ClientTimeouts {
  return {
    headMs: timeouts.head,
    bodyIdleMs: timeouts.bodyIdle,
    sendIdleMs: timeouts.sendIdle,
    keepAliveMs: timeouts.keepAlive,
    handshakeMs: timeouts.handshake,
  };
}

function compileRoute(
  route: RouteConfig,
  name: string,
  { action, policies }: Pick<RouteSnapshot, 'action' | 'policies'>,
): RouteSnapshot {
  return {
    name,
    policies,
    match: compileMatch(route.match ?? {}),
    action,
    hostField: route.host,
    overrides: compileOverrides(route),
    upload: compileUpload(route),
    bodyBytes: route.limits?.body ?? 0,
    priority: route.priority,
  };
}

/** @returns null for the defaults */
function compileUpload({ expect = 'forward', requestBuffer = 0 }: RouteConfig): RouteSnapshot['upload'] {
  return expect === 'forward' && requestBuffer === 0 ? null : { expect, bufferBytes: requestBuffer };
}

function compileMatch(match: NonNullable<RouteConfig['match']>): RouteMatch {
  const { cookie, client, protocol, not, subdomains } = match;
  const isOneLabel = subdomains === 'one' && match.host?.some((host) => host.startsWith('*.')) === true;
  const hasOthers = isOneLabel || [cookie, client, protocol, not].some((part) => part !== undefined);
  const others = (): OtherConditions => ({
    ...compileOthers(match),
    ...(isOneLabel && { isOneLabel }),
    not: (not ?? []).map(compileUnwanted),
  });
  return { ...compileConditions(match), listeners: match.listener ?? [], ...(hasOthers && { others: others() }) };
}

type Unwanted = NonNullable<NonNullable<RouteConfig['match']>['not']>[number];

function compileUnwanted(match: Unwanted): RouteMatch {
  const hasOthers = [match.cookie, match.client, match.protocol].some((part) => part !== undefined);
  return {
    ...compileConditions(match),
    listeners: [],
    ...(hasOthers && { others: { ...compileOthers(match), not: [] } }),
  };
}

function compileConditions(match: Unwanted): Omit<RouteMatch, 'listeners'> {
  return {
    hosts: match.host ?? [],
    paths: match.path ?? [],
    methods: match.method ?? [],
    headers: namedMatches(match.header).map(({ name, match: value }) => ({ name: name.toLowerCase(), match: value })),
    query: namedMatches(match.query),
  };
}

function compileOthers({ cookie, client, protocol }: Unwanted): Omit<OtherConditions, 'not'> {
  return { cookies: namedMatches(cookie), clients: client ?? [], protocols: protocol ?? [] };
}

function namedMatches(matches: Readonly<Record<string, ValueMatch>> = {}): NamedMatch[] {
  return Object.entries(matches).map(([name, match]) => ({ name, match }));
}

/** Validation guarantees that a route has exactly one action, and that its upstream exists. */
function upstreamAction(route: RouteConfig, indexOf: ReadonlyMap<string, number>): RouteAction & { kind: 'upstream' } {
  const name = route.upstream ?? route.split?.upstreams[0]?.upstream ?? '';
  const upstream = indexOf.get(name);
  if (upstream === undefined) throw new Error(`upstream ${name} was not validated`);
  return { kind: 'upstream', upstream };
}

function compileAccessLog({ settings, directory }: LoadedConfig): Snapshot['accessLog'] {
  if (settings.accessLog === undefined) return null;
  const { format, output } = settings.accessLog;
  return { ...compileLogFormat(format), output: compileOutput(output, directory), filter: compileFilter(settings) };
}

type AccessLogConfig = NonNullable<Config['accessLog']>;

function compileOutput(output: AccessLogConfig['output'], directory: string): string | SyslogSnapshot {
  if (typeof output === 'string') {
    return output === 'stdout' || output === 'stderr' ? output : path.resolve(directory, output);
  }
  const { syslog, ...options } = output;
  const name =
    syslog.transport === 'unix'
      ? `unix:${syslog.host}`
      : `${syslog.transport}://${formatHostPort(syslog.host, syslog.port)}`;
  return { name, ...syslog, ...options };
}

/** @returns null where every exchange is logged */
function compileFilter({ routes, accessLog }: Config): LogFilter | null {
  const { skip = [], sample, slow } = accessLog!;
  const quietRoutes = routes.flatMap((route, at) => (route.accessLog === false ? [routeName(route, at)] : []));
  if (quietRoutes.length === 0 && skip.length === 0 && sample === 100) return null;
  return { quietRoutes, skippedPaths: skip, samplePercent: sample, slowMs: slow };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

/** Share of memory for workers. The rest is for the system, main, and memory outside heaps: code, stacks, sockets. */
const AUTO_SHARE = 0.7;

/** @param availableBytes memory available to the process */
export function compileOverload(
  overload: OverloadConfig,
  availableBytes: number = availableMemory(),
): OverloadSnapshot {
  const { memory, requests, eventLoopLag, replayBuffers } = overload;
  return {
    memoryBytes: memory === 'auto' ? Math.floor(AUTO_SHARE * availableBytes) : memory,
    requests,
    eventLoopLagMs: eventLoopLag,
    replayBytes: replayBuffers,
  };
}

/** Memory of the control group if there is one, otherwise of the machine. */
function availableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem();
}
