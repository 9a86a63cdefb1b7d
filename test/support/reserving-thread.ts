// A worker thread that reserves and releases places at random until it is stopped or killed. Thread: worker.

import { parentPort, workerData } from 'node:worker_threads';
import { E_INFLIGHT, E_LIMIT } from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import { randomBelow, seededRandom } from '../../core/random.ts';

export interface ReservingOrder {
  readonly buffer: SharedArrayBuffer;
  readonly worker: number;
  readonly slots: number;
  /** Number of operations before it ends or parks; 0 runs until it is killed. */
  readonly turns: number;
  /** Whether it keeps its places at the end and waits to be killed, or releases them and exits. */
  readonly parks: boolean;
}

/** Result of the thread: places that it still holds, and observed counts above a limit (there must be none). */
export interface ReservingReport {
  readonly held: number;
  readonly excesses: number;
}

const PLACES_MAX = 50;
/** A parked thread holds at least this many: half of the slots have no limit, so that it can always get them. */
const PARKED_PLACES = 3;
const order = workerData as ReservingOrder;
const region = new Region(order.buffer);
const random = seededRandom(order.worker + 1);
const held: number[] = [];
let excesses = 0;

parentPort!.postMessage('running');
for (let turn = 0; order.turns === 0 || turn < order.turns; turn++) takeTurn();
if (order.parks) while (held.length < PARKED_PLACES) takeTurn();
else while (held.length > 0) release(region, order.worker, held.pop()!);
const report: ReservingReport = { held: held.length, excesses };
parentPort!.postMessage(report);
if (order.parks) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

function takeTurn(): void {
  if (held.length < PLACES_MAX && random.next() < 0.55) {
    const slot = randomBelow(random, order.slots);
    if (reserve(region, order.worker, slot)) held.push(slot);
    const word = region.endpointWord(slot);
    const limit = region.words[word + E_LIMIT]!;
    if (limit > 0 && Atomics.load(region.words, word + E_INFLIGHT) > limit) excesses++;
  } else if (held.length > 0) {
    const nth = randomBelow(random, held.length);
    release(region, order.worker, held[nth]!);
    held[nth] = held.at(-1)!;
    held.pop();
  }
}
