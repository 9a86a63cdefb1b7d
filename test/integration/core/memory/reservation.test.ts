// Reservations by several real worker threads at once, and repair after one of them is killed (docs/algorithms.md 7.3).
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { E_INFLIGHT, E_LIMIT } from '../../../../core/memory/layout.ts';
import type { Region } from '../../../../core/memory/region.ts';
import { repairAfterCrash } from '../../../../core/memory/reservation.ts';
import { testRegion } from '../../../support/balancing.ts';
import type { ReservingOrder, ReservingReport } from '../../../support/reserving-thread.ts';

const SLOTS = 6;
const TURNS = 60_000;

/** Half of the slots have a limit, which the threads reach all the time. */
function limitedRegion(): Region {
  const region = testRegion(8);
  for (let slot = 0; slot < SLOTS; slot += 2) region.words[region.endpointWord(slot) + E_LIMIT] = 3;
  return region;
}

async function start(context: TestContext, region: Region, worker: number, turns: number, parks: boolean) {
  const workerData: ReservingOrder = { buffer: region.buffer, worker, slots: SLOTS, turns, parks };
  const thread = new Worker(new URL('../../../support/reserving-thread.ts', import.meta.url), { workerData });
  context.after(() => thread.terminate());
  const exit = once(thread, 'exit');
  // Its second message; a thread that is killed never sends it.
  const report = new Promise<ReservingReport>((resolve) => {
    thread.on('message', (message: 'running' | ReservingReport) => {
      if (message !== 'running') resolve(message);
    });
  });
  await once(thread, 'message');
  return { thread, report, exit };
}

function inflights(region: Region): number[] {
  return Array.from({ length: SLOTS }, (_, slot) => region.words[region.endpointWord(slot) + E_INFLIGHT]!);
}

function owned(region: Region, worker: number): number[] {
  return Array.from({ length: SLOTS }, (_, slot) => region.words[region.ownWord(worker, slot)]!);
}

const NOTHING = Array.from({ length: SLOTS }, () => 0);

test('threads that give back all that they took leave exact zeros, and no limit is ever exceeded', async (context) => {
  const region = limitedRegion();
  const threads = await Promise.all([0, 1, 2].map((worker) => start(context, region, worker, TURNS, false)));
  for (const { report, exit } of threads) {
    assert.deepEqual(await report, { held: 0, excesses: 0 });
    await exit;
  }
  assert.deepEqual(inflights(region), NOTHING);
  for (const worker of [0, 1, 2]) assert.deepEqual(owned(region, worker), NOTHING);
});

test('repair after a kill takes back exactly what the dead thread held, while others go on', async (context) => {
  const region = limitedRegion();
  const [dying, living] = await Promise.all([
    start(context, region, 0, TURNS / 4, true),
    start(context, region, 1, TURNS, false),
  ]);
  const { held } = await dying.report;
  assert.ok(held > 0);
  await dying.thread.terminate();
  assert.equal(repairAfterCrash(region, 0), held);
  assert.deepEqual(await living.report, { held: 0, excesses: 0 });
  await living.exit;
  assert.deepEqual(inflights(region), NOTHING);
  assert.deepEqual(owned(region, 0), NOTHING);
});

test('a kill in the middle of a reservation leaves at most one count too few, which the next idle moment ends', async (context) => {
  const region = limitedRegion();
  const holder = await start(context, region, 1, TURNS / 4, true);
  await holder.report;
  for (let round = 0; round < 4; round++) {
    const { thread } = await start(context, region, 0, 0, false);
    await thread.terminate();
    const before = inflights(region);
    repairAfterCrash(region, 0);
    const after = inflights(region);
    const others = owned(region, 1);
    const missing = after.map((count, slot) => others[slot]! - count);
    assert.ok(
      missing.every((count) => count === 0 || count === 1) && missing.filter((count) => count === 1).length <= 1,
      `${before.join()} became ${after.join()}, others hold ${others.join()}`,
    );
    after.forEach((_, slot) => Atomics.store(region.words, region.endpointWord(slot) + E_INFLIGHT, others[slot]!));
  }
  await holder.thread.terminate();
  repairAfterCrash(region, 1);
  assert.deepEqual(inflights(region), NOTHING);
});
