// Faults of a seed, the same for every proxy. Pure. Thread: main.

import { type Random, randomBelow, seededRandom } from '../../core/random.ts';
import type { Fault, FaultKind } from './plan.ts';

/** Kinds, with equal probability. */
const KINDS: readonly FaultKind[] = ['kill', 'stop', 'reset', 'unavailable', 'late'];

/** Shortest and longest fault by kind, in ms. */
const SPAN_MS: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = { kill: [1000, 3000] };
const USUAL_SPAN_MS = [1000, 4000] as const;
/** Two tracks with one fault after the other: one endpoint is faulted most of the time, sometimes two. */
const PAUSES_MS = [
  [500, 2000],
  [1500, 5000],
] as const;
/** Quiet time in ms before the first fault, to build connections and averages, and after the last one. */
export const CALM_FIRST_MS = 2000;
export const CALM_LAST_MS = 1500;
/** Minimum pause of an endpoint after a fault, in ms: checks must find it again. */
const REST_MS = 1000;

export interface ScheduleSettings {
  readonly seed: number;
  readonly durationMs: number;
  readonly endpoints: number;
}

/**
 * Faults in order of start. At most two endpoints, and never all of them, are faulted or recovering at a time; none has
 * two faults at once.
 */
export function faultSchedule({ seed, durationMs, endpoints }: ScheduleSettings): readonly Fault[] {
  const random = seededRandom(seed);
  const lastMs = durationMs - CALM_LAST_MS;
  const faults: Fault[] = [];
  const trackCount = Math.min(PAUSES_MS.length, endpoints - 1);
  const nextMs = PAUSES_MS.slice(0, trackCount).map((pause) => CALM_FIRST_MS - pause[0] + wholeBetween(random, pause));
  while (nextMs.length > 0) {
    const startMs = Math.min(...nextMs);
    const track = nextMs.indexOf(startMs);
    const fault = draw(random, startMs, endpoints, faults);
    if (fault.endMs > lastMs) break;
    faults.push(fault);
    nextMs[track] = fault.endMs + wholeBetween(random, PAUSES_MS[track]!);
  }
  return faults;
}

function draw(random: Random, startMs: number, endpoints: number, earlier: readonly Fault[]): Fault {
  const kind = KINDS[randomBelow(random, KINDS.length)]!;
  const taken = new Set(earlier.filter(({ endMs }) => endMs + REST_MS > startMs).map(({ endpoint }) => endpoint));
  const free = Array.from({ length: endpoints }, (_, index) => index).filter((index) => !taken.has(index));
  const endpoint = free[randomBelow(random, free.length)]!;
  return { kind, endpoint, startMs, endMs: startMs + wholeBetween(random, SPAN_MS[kind] ?? USUAL_SPAN_MS) };
}

/** A whole number of milliseconds. */
export function wholeBetween(random: Random, [least, most]: readonly [number, number]): number {
  return least + randomBelow(random, most - least + 1);
}
