// Schemas of the admin API's other replies: status, events, configuration, problems. Thread: main.

import { z } from 'zod';
import { RETRY_AFTER_S } from '../../core/snapshot/maintenance.ts';
import { AVAILABILITY, type Availability } from '../../core/availability.ts';
import { MOST_WEIGHT } from '../../proxy/policies/split.ts';
import { admin, amount, availability, change, endpoint, responses, time, traffic } from './endpoint-schemas.ts';
import { registrations } from './registration-schemas.ts';

const number = z.number().nullable();

const worker = z.strictObject({
  worker: amount,
  state: z.enum(['starting', 'listening', 'draining', 'exited']),
  restarts: amount,
  generation: amount.describe('The newest configuration that it runs on.'),
  exchanges: z.int(),
  connections: z.int(),
  upgraded: z.int(),
});

const listener = z.strictObject({
  name: z.string(),
  address: z.string().nullable(),
  tls: z.boolean(),
  connections: z.int(),
  http2Connections: z.int().describe('Of the connections, those over HTTP/2.'),
  streams: z.int().describe('Open streams of these.'),
  connectionsAccepted: amount,
  connectionsRefused: amount,
  requests: amount,
  badRequests: amount,
});

const maintenanceKind = z.enum(['route', 'upstream']);

/** A route or an upstream in maintenance. */
const maintenanceSwitch = z.strictObject({
  of: maintenanceKind,
  name: z.string(),
  retryAfterSeconds: amount,
  since: time,
  by: z.string(),
});
export type MaintenanceReply = z.output<typeof maintenanceSwitch>;

export const maintenance = z.strictObject({ maintenance: z.array(maintenanceSwitch) });
/** Outcome of a change. */
export const maintenanceSet = z.strictObject({
  of: maintenanceKind,
  name: z.string(),
  on: z.boolean(),
  retryAfterSeconds: number,
});

export const split = z.strictObject({
  route: z.string(),
  upstreams: z.array(z.strictObject({ name: z.string(), weight: amount, configuredWeight: amount })),
});
export const splits = z.strictObject({ splits: z.array(split) });

const provider = z.strictObject({
  name: z.string(),
  subject: z.string().describe('The program that it follows: an address or a file.'),
  state: z
    .enum(['pending', 'current', 'stale'])
    .describe('`pending`: it has contributed nothing yet; `stale`: it fails, and what it contributed last is kept.'),
  version: z.string(),
  ageSeconds: amount.nullable().describe('Since the contribution in use was last confirmed; null before the first.'),
  cause: z.string().describe("Why it isn't current."),
  routes: amount,
  upstreams: amount,
  certificates: amount,
  accepted: amount.describe('Objects that contribute something.'),
  refused: z.array(z.strictObject({ object: z.string(), cause: z.string() })).describe('Objects with a problem.'),
});
export const providers = z.strictObject({ providers: z.array(provider) });
export type ProviderReply = z.output<typeof provider>;
const providerSummary = provider
  .pick({ name: true, state: true, ageSeconds: true, cause: true, accepted: true })
  .extend({ refused: amount.describe('Objects with a problem.') });
export type ProviderSummary = z.output<typeof providerSummary>;
const definedBy = z.string().nullable().describe('Object of a provider that defines it; null for the file.');

const protocol = z
  .enum(['http1', 'http2', 'auto', 'tcp'])
  .describe('Protocol of requests to the endpoints; `auto`: as each endpoint chooses by ALPN.');

const source = z.strictObject({
  source: z.string().describe('Its kind: `dns`, `file` and others.'),
  subject: z.string().describe('A name, a path or an address.'),
  state: z
    .enum(['pending', 'current', 'stale', 'held'])
    .describe('`pending`: no set yet; `stale`: it fails, and the last good set is kept; `held`: by the guard.'),
  version: z.string(),
  endpoints: amount.describe('Of the set in use.'),
  ageSeconds: amount.nullable().describe('Since the set in use was last confirmed; null before the first.'),
  changedAt: time.nullable(),
  cause: z.string().describe("Why it isn't current."),
  updates: amount,
  failures: amount,
});
export type SourceReply = z.output<typeof source>;

/** Preference for endpoints of the own zone. */
export const locality = z.strictObject({
  zone: z.string().describe('Of this Fairlead.'),
  spillBelowPercent: z.number(),
  usableShare: z.number().describe("Usable share of the own zone's weight."),
  share: z.number().describe('Share of requests that stays in the zone.'),
});

export const upstream = z.strictObject({
  name: z.string(),
  balance: z.string(),
  protocol,
  maintenance: z.boolean().describe('Whether an operator has switched it off: requests for it are answered 503.'),
  availability: z.record(z.enum(Object.keys(AVAILABILITY) as [Availability, ...Availability[]]), amount),
  inFlight: z.int(),
  queued: z.int(),
  requests: amount,
  responses,
  retries: amount,
  redispatches: amount,
  traffic,
  locality: locality.nullable().describe('Null where zones do not matter.'),
  origin: definedBy,
  sources: z.array(source).describe('Where further endpoints come from.'),
  endpoints: z.array(endpoint),
});
export type UpstreamReply = z.output<typeof upstream>;

export const upstreams = z.strictObject({ upstreams: z.array(upstream) });

export const status = z.strictObject({
  version: z.string(),
  startedAt: time,
  uptimeSeconds: amount,
  generation: amount,
  ready: z.boolean(),
  notReadyBecause: z.array(z.string()),
  workers: z.array(worker),
  listeners: z.array(listener),
  upstreams: z.array(upstream),
  maintenance: z.array(maintenanceSwitch).describe('Routes and upstreams in maintenance.'),
  providers: z.array(providerSummary),
  registrations,
});
export type StatusReply = z.output<typeof status>;

const generation = z.strictObject({
  generation: amount,
  at: time.describe('When it was taken over.'),
  ageSeconds: amount,
  isCurrent: z.boolean(),
  workers: amount.describe('Workers whose newest configuration it is.'),
  exchanges: z.int().nullable().describe('Open exchanges that began with it; null where that is not counted.'),
});

const liveEndpoint = z.strictObject({
  name: z.string(),
  availability,
  operator: admin,
  weight: amount,
  configuredWeight: amount,
  weightShare: z.number(),
  backup: z.boolean(),
  inFlight: z.int(),
  queued: z.int(),
  connections: z.int(),
  http2Connections: z.int().describe('Of the connections, those over HTTP/2.'),
  streams: z.int().describe('Open streams of these.'),
  requestsPerSecond: number,
  errorShare: number,
  p50Ms: number,
  p99Ms: number,
  bytesSent: amount.describe('To the endpoint, since the process started.'),
  bytesReceived: amount.describe('From the endpoint, since the process started.'),
  retries: amount.describe('Attempts that were retries, since the process started.'),
  ejections: amount,
  downtimeSeconds: amount,
  zone: z.string(),
  source: z.string(),
  origin: z.string().describe('As of the endpoint itself.'),
  since: time,
  cause: z.string(),
});

/** The event `status` of event streams, sent every second. */
export const live = z.strictObject({
  at: time,
  generation: amount,
  ready: z.boolean(),
  notReadyBecause: z.array(z.string()),
  uptimeSeconds: amount,
  exchanges: z.int(),
  connections: z.int(),
  requestsPerSecond: number.describe('Over all listeners, local replies included.'),
  errorShare: number.describe('Share of these with a status of 5xx.'),
  generations: z.array(generation).describe('Newest first, as with the configuration.'),
  workers: z.array(worker),
  listeners: z.array(listener),
  upstreams: z.array(
    z.strictObject({
      name: z.string(),
      balance: z.string(),
      protocol,
      inFlight: z.int(),
      queued: z.int(),
      requestsPerSecond: number,
      errorShare: number,
      p50Ms: number,
      p99Ms: number,
      sources: z.array(source),
      endpoints: z.array(liveEndpoint),
    }),
  ),
  maintenance: z.array(maintenanceSwitch),
  providers: z.array(providerSummary),
  registrations,
});
export type LiveReply = z.output<typeof live>;

const identified = { id: z.string().describe('Unique, as in Last-Event-ID.') };

const reloadEvent = z.strictObject({
  at: time,
  ok: z.boolean(),
  generation: amount.describe('What runs now.'),
  changes: z.array(z.string()),
  problems: z.array(z.string()),
});
export type ReloadEvent = z.output<typeof reloadEvent>;

const maintenanceEvent = z.strictObject({
  at: time,
  of: maintenanceKind,
  name: z.string(),
  on: z.boolean(),
  cause: z.string(),
});
export type MaintenanceEvent = z.output<typeof maintenanceEvent>;

const splitEvent = z.strictObject({
  at: time,
  route: z.string(),
  upstream: z.string(),
  from: amount,
  to: amount,
  cause: z.string(),
});
export type SplitEvent = z.output<typeof splitEvent>;

const sourceEvent = z.strictObject({
  at: time,
  upstream: z.string(),
  source: z.string(),
  subject: z.string(),
  change: z
    .enum(['failed', 'recovered', 'held', 'shrunk'])
    .describe(
      '`failed`: its last good set is kept; `held`: by the guard; `shrunk`: much of its set was removed at once.',
    ),
  cause: z.string(),
  endpoints: amount.describe('Of the set in use.'),
});
export type SourceEventReply = z.output<typeof sourceEvent>;

const providerEvent = z.strictObject({
  at: time,
  provider: z.string(),
  change: z
    .enum(['failed', 'recovered', 'refused'])
    .describe('`failed`: what it contributed last is kept; `refused`: one of its objects contributes nothing.'),
  object: z.string().describe('The object that is refused; empty for the provider itself.'),
  cause: z.string(),
});
export type ProviderEventReply = z.output<typeof providerEvent>;

const membershipEvent = z.strictObject({
  at: time,
  upstream: z.string(),
  origin: z.string().describe('Of the endpoints, as theirs.'),
  added: z.array(z.string()).describe('Addresses, at most 100.'),
  removed: z.array(z.string()).describe('Addresses, at most 100.'),
  addedCount: amount,
  removedCount: amount,
  cause: z.string().describe('Why endpoints were removed, or who changed them; empty where a source has added some.'),
});
export type MembershipEvent = z.output<typeof membershipEvent>;

/** One event: a change of an endpoint's state, of maintenance, of a split or of discovery, or a reload. */
export const event = z.discriminatedUnion('kind', [
  change.extend({ ...identified, kind: z.literal('change') }),
  reloadEvent.extend({ ...identified, kind: z.literal('reload') }),
  maintenanceEvent.extend({ ...identified, kind: z.literal('maintenance') }),
  splitEvent.extend({ ...identified, kind: z.literal('split') }),
  sourceEvent.extend({ ...identified, kind: z.literal('source') }),
  providerEvent.extend({ ...identified, kind: z.literal('provider') }),
  membershipEvent.extend({ ...identified, kind: z.literal('membership') }),
]);
export type EventReply = z.output<typeof event>;
export const events = z.strictObject({ events: z.array(event).describe('Oldest first.') });

export const config = z.strictObject({
  generation: amount,
  file: z.string().nullable(),
  config: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('As it is written, variables not put in, secrets left out; null where there is no file.'),
  origins: z
    .strictObject({ routes: z.record(z.string(), z.string()), upstreams: z.record(z.string(), z.string()) })
    .nullable()
    .describe('Objects of providers, by name of the route or upstream that they define; null without any.'),
  generations: z.array(generation).describe('Newest first: the one that runs, and those that still finish exchanges.'),
});
export type ConfigReply = z.output<typeof config>;

export const reloaded = z.strictObject({ generation: amount, changes: z.array(z.string()) });
/** The process that serves after an upgrade. */
export const upgraded = z.strictObject({ pid: amount });
export const version = z.strictObject({
  name: z.literal('fairlead'),
  version: z.string(),
  node: z.string(),
  api: z.literal('v1'),
  startedAt: time,
  pid: amount,
});
export const alive = z.strictObject({ alive: z.literal(true) });
/** Identity of the caller by token or certificate. */
export const caller = z.strictObject({ who: z.string(), role: z.enum(['read', 'write']) });
export const ready = z.strictObject({ ready: z.boolean(), because: z.array(z.string()).optional() });

/** Problem details (RFC 9457); some codes have more members. */
export const problem = z.looseObject({
  type: z.literal('about:blank'),
  title: z.string().describe("The status's phrase."),
  status: z.int().min(400).max(599),
  detail: z.string().describe('What is wrong, in one sentence.'),
  code: z.string().describe('Stable, for programs.'),
});

/** Bodies of changes. */
export const stateBody = z.strictObject({ admin });
const WEIGHT =
  'a weight is a whole number from 1 to 256, or null for the configured one; to stop requests, set the state to drain';
const weight = z
  .int(WEIGHT)
  .min(1, WEIGHT)
  .max(256, WEIGHT)
  .nullable()
  .describe('Null takes back the configured weight.');
export const weightBody = z.strictObject({ weight });
export const endpointPatch = z.strictObject({ admin: admin.optional(), weight: weight.optional() });
export const maintenanceBody = z.strictObject({
  on: z.boolean(),
  name: z.string().describe('Of a route or an upstream.'),
  of: maintenanceKind.optional().describe('Needed where a route and an upstream have the same name.'),
  retryAfterSeconds: z
    .int()
    .min(RETRY_AFTER_S.least)
    .max(RETRY_AFTER_S.most)
    .optional()
    .describe('Of the Retry-After field; 60 if left out.'),
});
export const splitBody = z.strictObject({
  route: z.string(),
  upstream: z.string().describe('Of the split of the route.'),
  weight: z.int().min(0).max(MOST_WEIGHT).nullable().describe('Null takes back the configured weight.'),
});
export const addEndpointBody = z.strictObject({
  url: z.string().describe('`http://host:port`, `https://host:port` or `unix:/path`.'),
  weight: z.int().min(1).max(256).optional().describe('1 if left out.'),
  backup: z.boolean().optional(),
  zone: z.string().max(128).optional(),
  admin: admin.optional().describe('Its state, from its addition on; ready, or unchanged, if left out.'),
  metadata: z.record(z.string(), z.string().max(256)).optional().describe('Labels, for operators.'),
});
export const addedEndpoint = z.strictObject({
  upstream: z.string(),
  endpoint: z.string().describe('Its address.'),
  source: z.literal('api'),
  weight: amount,
  backup: z.boolean(),
  zone: z.string(),
  metadata: z.record(z.string(), z.string()),
  keptOverRestarts: z.boolean().describe('Whether `health.stateFile` is set, which keeps it.'),
});
export type AddedEndpointReply = z.output<typeof addedEndpoint>;
export const removedEndpoint = z.strictObject({ upstream: z.string(), endpoint: z.string(), removed: z.literal(true) });
export const emptyBody = z.strictObject({});
