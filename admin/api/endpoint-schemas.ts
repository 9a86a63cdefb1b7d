// Schemas of the admin API's data on endpoints. The OpenAPI document and the types of the views are derived from them.
// Thread: main.

import { z } from 'zod';
import { ADMIN, AVAILABILITY, CHECK, OUTLIER, RESOLUTION } from '../../core/availability.ts';
import { AGENT_WORDS } from '../../health/weight/agent-words.ts';
import { DETECTORS, type Detector } from '../../health/state/detector.ts';

type Keys<T> = [keyof T & string, ...(keyof T & string)[]];
const keysOf = <T extends object>(table: T): Keys<T> => Object.keys(table) as Keys<T>;

/** ISO 8601 in UTC. */
export const time = z.iso.datetime();
const timeOrNull = time.nullable();
/** A count, since the process started or current. */
export const amount = z.int().min(0);
export const admin = z.enum(keysOf(ADMIN)).describe('What an operator wants.');
export const availability = z.enum(keysOf(AVAILABILITY)).describe('What a pick may do with the endpoint.');
const detector = z.enum(Object.keys(DETECTORS) as [Detector, ...Detector[]]).describe('Who found out.');
const share = z.number().min(0);

const heartbeat = z.strictObject({
  at: time.describe('Its end.'),
  kind: z.enum(['ok', 'fail', 'unknown']),
  cause: z.string(),
  startedMs: z.number().describe("On the process's own clock."),
  durationMs: z.number(),
  agentWords: z.string().optional(),
  isContradicted: z.boolean().describe('Live traffic said otherwise, so that it was not counted.'),
});

const agent = z.strictObject({
  at: time,
  said: z.string(),
  admin,
  isDown: z.boolean(),
  askedShare: share.nullable(),
  share,
  words: z.record(z.enum(AGENT_WORDS), amount),
});

const health = z.strictObject({
  checks: amount,
  checksFailed: amount,
  checksUnknown: amount,
  resolutionFailures: amount.describe('Lookups of its host name that found no address.'),
  checksContradicted: amount,
  ejections: amount,
  ejectionsRefused: amount,
  suspicions: amount,
  slowStarts: amount,
  transitions: amount,
});

/** State, cause and weight: common to all views of an endpoint. */
const facts = z.strictObject({
  availability,
  admin: admin.describe("The stricter one of the operator's wish and the endpoint's own."),
  check: z.enum(keysOf(CHECK)).describe('What heartbeats say.'),
  outlier: z.enum(keysOf(OUTLIER)).describe('What live traffic says.'),
  resolution: z.enum(keysOf(RESOLUTION)).describe('Whether the endpoint has an address.'),
  wishes: z.strictObject({ operator: admin, agent: admin }),
  since: time.describe('When the availability began.'),
  cause: z.string().describe('Why, in words.'),
  detector: detector.nullable(),
  weight: z.int().min(1).max(256).describe('The weight that holds: configured, or set by an operator.'),
  configuredWeight: z.int().min(1).max(256),
  isWeightOverridden: z.boolean().describe('Whether an operator has set another weight than the configured one.'),
  weightShare: share.describe('Share of the weight that it carries now.'),
  limit: z
    .strictObject({
      inFlight: z.int().describe('Most requests in flight that it may have now; 0 is no limit.'),
      adaptive: z
        .strictObject({
          baselineMs: z.number().describe('Median of an answer while the endpoint is not crowded; 0 is not known yet.'),
          p50Ms: z.number().describe('Median of the newest answers.'),
        })
        .nullable()
        .describe('What the limit was found from, with `concurrency: auto`.'),
    })
    .describe('Its limit.'),
  warming: z.strictObject({ percent: z.number(), until: time }).nullable().describe('Its slow start.'),
  reducedUntil: timeOrNull.describe('Carries less until then, because the limit forbade its ejection.'),
  agent: agent.nullable().describe('What the endpoint says of itself.'),
  backup: z.boolean(),
  consecutiveFailures: amount,
  ejectedUntil: timeOrNull,
  nextCheck: timeOrNull,
  downtimeSeconds: amount,
  health,
});
export type EndpointFacts = z.output<typeof facts>;

/** Over the last ten seconds; null without samples. */
export const traffic = z.strictObject({
  windowSeconds: z.number().nullable(),
  requestsPerSecond: z.number().nullable(),
  errorShare: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p90Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});

export const responses = z.record(z.enum(['1xx', '2xx', '3xx', '4xx', '5xx']), amount);

/** Origin, zone and labels of an endpoint. */
const place = {
  source: z.string().describe('Its origin: `config`, `api`, or the kind of a discovery source.'),
  origin: z
    .string()
    .describe(
      'The same with the subject of the source: `configured`, `api`, `dns:api.internal:3000`, `file:/etc/a.yaml`.',
    ),
  zone: z.string().describe("Name of its place; '' where none is known."),
  metadata: z.record(z.string(), z.string()).describe('Labels that its origin gives it.'),
};

export const endpoint = facts.extend({
  name: z.string().describe('Its address: `10.0.0.1:3000`, or the path of a socket.'),
  ...place,
  inFlight: z.int(),
  queued: z.int(),
  attempts: amount,
  retries: amount,
  responses,
  failures: z.strictObject({ connect: amount, reset: amount, timeout: amount, protocol: amount, truncated: amount }),
  connections: z.strictObject({
    open: z.int(),
    idle: z.int(),
    upgraded: z.int(),
    http2: z.int().describe('Of the open ones, those over HTTP/2.'),
  }),
  streams: z.int().describe('Open streams of the connections over HTTP/2.'),
  traffic,
});
export type EndpointReply = z.output<typeof endpoint>;

/** One endpoint by itself. */
export const endpointAlone = endpoint.extend({ upstream: z.string(), heartbeats: z.array(heartbeat) });
export type EndpointAloneReply = z.output<typeof endpointAlone>;

const axis = z.enum([...keysOf({ admin: 0, check: 0, outlier: 0, resolution: 0 }), 'weight', 'slowStart', 'share']);

/** A change of any part of an endpoint's state. */
export const change = z.strictObject({
  at: time,
  upstream: z.string(),
  endpoint: z.string(),
  axis,
  from: z.string(),
  to: z.string(),
  detector,
  cause: z.string(),
  availability: availability.describe('What the change left the endpoint at.'),
});
export type ChangeReply = z.output<typeof change>;

const reason = z.strictObject({
  axis,
  value: z.string(),
  effect: z.enum(['none', 'fewer']).describe('`none`: no ordinary request comes. `fewer`: some do.'),
  detector,
  cause: z.string(),
  since: timeOrNull,
  until: timeOrNull.describe('When it ends at the earliest; null where something has to happen first.'),
});

export const why = facts.extend({
  upstream: z.string(),
  upstreamOrigin: z.string().nullable().describe('Object of a provider that defines the upstream; null for the file.'),
  endpoint: z.string(),
  ...place,
  now: time,
  reasons: z.array(reason).describe('What keeps requests away, what weighs most first.'),
  ejectionsInRow: amount,
  changes: z.array(z.strictObject({ axis, to: z.string(), detector, count: amount })),
  heartbeats: z.array(heartbeat),
  events: z.array(change),
});
/** Reply to `GET .../why`. */
export type WhyAnswer = z.output<typeof why>;
