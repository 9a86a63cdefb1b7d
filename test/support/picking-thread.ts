// A worker thread that picks from a shared region as fast as possible and reports the picks of each slot. Thread: worker.

import { parentPort, workerData } from 'node:worker_threads';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import { Region } from '../../core/memory/region.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import { seededRandom } from '../../core/random.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { testRequest } from './balancing.ts';

export interface PickingOrder {
  readonly buffer: SharedArrayBuffer;
  readonly upstream: UpstreamSnapshot;
  readonly worker: number;
  readonly picks: number;
  /** Maximum number of requests in flight; the oldest ends first. */
  readonly inflight: number;
  /** One word; all threads start when it is 1. */
  readonly gate: SharedArrayBuffer;
}

const order = workerData as PickingOrder;
const region = new Region(order.buffer);
const picker = new UpstreamPicker(order.upstream, {
  region,
  worker: order.worker,
  random: seededRandom(order.worker),
});
parentPort!.postMessage('ready');
Atomics.wait(new Int32Array(order.gate), 0, 0);
parentPort!.postMessage(pickAll());

function pickAll(): number[] {
  const counts = order.upstream.endpoints.map(() => 0);
  const request = testRequest();
  const open: number[] = [];
  for (let i = 0; i < order.picks; i++) {
    const slot = picker.pick(request);
    counts[slot]!++;
    reserve(region, order.worker, slot);
    open.push(slot);
    if (open.length > order.inflight) release(region, order.worker, open.shift()!);
  }
  for (const slot of open) release(region, order.worker, slot);
  return counts;
}
