// Bursts of faults of a seed, the same for every proxy. Pure. Thread: main.

import { type Random, randomBelow, seededRandom } from '../../core/random.ts';
import { CALM_FIRST_MS, CALM_LAST_MS, type ScheduleSettings, wholeBetween } from './fault-schedule.ts';
import type { Fault, FaultKind } from './plan.ts';

/** Kinds in a burst of two endpoints, with equal probability. In a burst of all endpoints every process is killed. */
const KINDS: readonly FaultKind[] = ['kill', 'stop', 'reset', 'unavailable'];

/** Time without a fault between bursts, in ms. */
export const RECOVERY_MS = 1000;
/** Time in ms during which all endpoints are down in a burst of all. */
export const ALL_DOWN_MS = 2000;
/** Spread of the kills and of the restarts in a burst of all endpoints, in ms. */
const SPREAD_MS = 500;
const FIRST_SPAN_MS = [1500, 3000] as const;
const SECOND_SPAN_MS = [1000, 3000] as const;
/** Shortest overlap of two faults, in ms. */
export const LEAST_OVERLAP_MS = 500;
/** One burst in this many, in a fixed position of the seed's choice, is one of all endpoints. */
const ALL_DOWN_EVERY = 4;

/**
 * Faults in order of start, in bursts that are separated by recoveries of a second. Most bursts are faults of two
 * endpoints in overlapping windows. The endpoint that survived one burst is the first to fail in the next, when the others
 * have just recovered. At times all endpoints are down for two seconds.
 * @throws RangeError for fewer than three endpoints
 */
export function burstSchedule({ seed, durationMs, endpoints }: ScheduleSettings): readonly Fault[] {
  if (endpoints < 3) throw new RangeError(`a burst needs three endpoints, not ${endpoints}`);
  const random = seededRandom(seed);
  const allDownAt = randomBelow(random, ALL_DOWN_EVERY);
  const faults: Fault[] = [];
  let startMs = CALM_FIRST_MS;
  let first = randomBelow(random, endpoints);
  for (let count = 0; ; count++) {
    const burst =
      count % ALL_DOWN_EVERY === allDownAt
        ? burstOfAll(random, startMs, endpoints)
        : burstOfTwo(random, startMs, first, endpoints);
    const endMs = Math.max(...burst.map((fault) => fault.endMs));
    if (endMs > durationMs - CALM_LAST_MS) return faults;
    faults.push(...burst);
    startMs = endMs + RECOVERY_MS;
    first = nextFirst(random, burst, endpoints);
  }
}

/** The second fault begins during the first one and overlaps it by half a second or more. */
function burstOfTwo(random: Random, startMs: number, first: number, endpoints: number): readonly Fault[] {
  const endMs = startMs + wholeBetween(random, FIRST_SPAN_MS);
  const secondMs = wholeBetween(random, [startMs, endMs - LEAST_OVERLAP_MS]);
  const second = (first + 1 + randomBelow(random, endpoints - 1)) % endpoints;
  return [
    { kind: kindOf(random), endpoint: first, startMs, endMs },
    {
      kind: kindOf(random),
      endpoint: second,
      startMs: secondMs,
      endMs: secondMs + wholeBetween(random, SECOND_SPAN_MS),
    },
  ];
}

/** From the last kill to the first restart it is exactly ALL_DOWN_MS. */
function burstOfAll(random: Random, startMs: number, endpoints: number): readonly Fault[] {
  const starts = Array.from({ length: endpoints }, () => startMs + randomBelow(random, SPREAD_MS + 1));
  const allDownMs = Math.max(...starts);
  const firstUp = randomBelow(random, endpoints);
  const ofAll = starts.map((atMs, endpoint): Fault => {
    const spreadMs = endpoint === firstUp ? 0 : randomBelow(random, SPREAD_MS + 1);
    return { kind: 'kill', endpoint, startMs: atMs, endMs: allDownMs + ALL_DOWN_MS + spreadMs };
  });
  return ofAll.toSorted((one, other) => one.startMs - other.startMs);
}

/** An endpoint that the burst has spared; any, if it spared none. */
function nextFirst(random: Random, burst: readonly Fault[], endpoints: number): number {
  const all = Array.from({ length: endpoints }, (_, index) => index);
  const spared = all.filter((index) => burst.every(({ endpoint }) => endpoint !== index));
  const among = spared.length === 0 ? all : spared;
  return among[randomBelow(random, among.length)]!;
}

function kindOf(random: Random): FaultKind {
  return KINDS[randomBelow(random, KINDS.length)]!;
}
