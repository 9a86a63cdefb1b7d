// When heartbeats come: the spread of the first ones, the interval by state, the jitter (docs/algorithms.md 2.2). Pure.
// Thread: main.

import { murmur32OfString } from '../../core/murmur.ts';
import type { Random } from '../../core/random.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';

/** Which of its intervals an endpoint's heartbeats keep now; `none`: there are none (maintenance). */
export type Pace = 'normal' | 'fast' | 'down' | 'none';

/** First heartbeats are spread over at most this long: a process that starts should know soon where it stands. */
const SPREAD_MS = 2_000;
/** Intervals vary by this share either way, so that endpoints checked together drift apart. */
const JITTER = 0.1;

/** Ms from the start to an endpoint's first heartbeat: by its name, so the same in every run. */
export function firstDelayMs(endpointName: string, heartbeat: HeartbeatSnapshot): number {
  const spreadMs = Math.max(1, Math.min(heartbeat.intervalMs, SPREAD_MS));
  return murmur32OfString(endpointName, 0) % spreadMs;
}

/** Ms between the starts of two heartbeats, before the jitter. Infinity where there are none. */
export function intervalMs(heartbeat: HeartbeatSnapshot, pace: Pace): number {
  if (pace === 'none') return Number.POSITIVE_INFINITY;
  if (pace === 'down') return heartbeat.downIntervalMs;
  return pace === 'fast' ? heartbeat.fastIntervalMs : heartbeat.intervalMs;
}

/** `plainMs` varied uniformly by up to a tenth either way. */
export function jittered(plainMs: number, random: Random): number {
  return plainMs * (1 + JITTER * (2 * random.next() - 1));
}
