// What of the endpoints' state is kept over a restart, as text and back: what the operator asked for, what heartbeats
// found, and ejections. Thread: main.

import { z } from 'zod';
import type { EndpointHealth, Moment } from './endpoint-health.ts';

const VERSION = 1;
/** Longest name that is taken: of an upstream or an endpoint. */
const LONGEST_NAME = 2_048;

const savedEndpoint = z.object({
  upstream: z.string().max(LONGEST_NAME),
  /** Its address. */
  endpoint: z.string().max(LONGEST_NAME),
  /** What the operator wants. */
  admin: z.enum(['ready', 'drain', 'maintenance']),
  /** The operator's weight, and the configured one that it took the place of; null where there is none. */
  weight: z.object({ set: z.int().min(1).max(256), configured: z.int() }).nullable(),
  check: z.enum(['unknown', 'up', 'down']),
  /** `until`: wall-clock ms. */
  ejection: z.object({ until: z.number(), inRow: z.int().min(1).max(1_000) }).nullable(),
});

const savedHealth = z.object({
  version: z.literal(VERSION),
  /** Wall-clock ms. */
  savedAt: z.number(),
  endpoints: z.array(savedEndpoint),
});

export type SavedEndpoint = z.output<typeof savedEndpoint>;
export type SavedHealth = z.output<typeof savedHealth>;

/** Wall and monotonic ms of now, which tie the two clocks together. */
export function saveHealth(endpoints: Iterable<EndpointHealth>, now: Moment): SavedHealth {
  return { version: VERSION, savedAt: now.at, endpoints: Array.from(endpoints, (health) => savedOf(health, now)) };
}

function savedOf(health: EndpointHealth, now: Moment): SavedEndpoint {
  const { endpoint, state, weight, upstream } = health;
  const { outlier, untilMs, ejections } = state.outlier;
  const isEjected = outlier === 'ejected' || outlier === 'halfOpen';
  return {
    upstream: upstream.snapshot.name,
    endpoint: endpoint.id,
    admin: state.wishes.operator,
    weight: weight === endpoint.weight ? null : { set: weight, configured: endpoint.weight },
    check: state.axes.check,
    ejection: isEjected ? { until: Math.round(now.at + untilMs - now.nowMs), inRow: ejections } : null,
  };
}

/** @throws Error that says what is wrong with the text */
export function parseSavedHealth(text: string): SavedHealth {
  const parsed = savedHealth.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not what was written'}`);
}

const CAUSE = 'kept over a restart';

/** Puts an endpoint that was added just now back where the operator wanted it. */
export function restoreWishes(health: EndpointHealth, saved: SavedEndpoint, nowMs: number): void {
  if (saved.admin !== 'ready') health.state.setAdmin(saved.admin, nowMs, { detector: 'operator', cause: CAUSE });
}

/** Gives it back what was found out about it: checks where it has heartbeats, an ejection where others can do its work. */
export function restoreFindings(health: EndpointHealth, saved: SavedEndpoint, now: Moment): void {
  const because = { detector: 'restart', cause: CAUSE } as const;
  if (health.upstream.snapshot.heartbeat !== null && saved.check !== 'unknown') {
    health.state.heartbeat(saved.check === 'down' ? 'condemn' : 'pass', now.nowMs, because);
  }
  if (saved.ejection === null || !health.upstream.hasPeerOf(health)) return;
  const { until, inRow } = saved.ejection;
  const { ejectionMaxMs } = health.state.settings.outlier;
  // A clock that was set back must not make it longer than any ejection is.
  const leftMs = Math.min(Math.max(0, until - now.at), ejectionMaxMs);
  const resumes = { untilMs: now.nowMs + leftMs, ejections: inRow };
  health.state.liveTraffic({ kind: 'eject', signal: null, jitter: 0, resumes }, now.nowMs, because);
}
