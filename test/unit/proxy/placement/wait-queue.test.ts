// Queue of an upstream over all workers: bounded together, fair by tickets, without traces of waiters that left.
// Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UPSTREAM } from '../../../../core/memory/layout.ts';
import type { Region } from '../../../../core/memory/region.ts';
import { seededRandom } from '../../../../core/random.ts';
import { hasWaiters, WaitQueue } from '../../../../proxy/placement/wait-queue.ts';
import { testRegion } from '../../../support/balancing.ts';

const word = (region: Region, name: 'queued' | 'ticketNext' | 'ticketServed'): number =>
  region.words[region.upstreamWord(0) + UPSTREAM[name].index]!;

/** The same upstream's queue in two workers. */
function queues(most = 0): { region: Region; here: WaitQueue<string>; there: WaitQueue<string> } {
  const region = testRegion();
  const queueOf = (worker: number): WaitQueue<string> =>
    new WaitQueue<string>({ region, worker, upstreamIndex: 0 }, most);
  return { region, here: queueOf(0), there: queueOf(1) };
}

describe('the queue of an upstream', () => {
  test('is bounded over all workers, and returns how many were queued before', () => {
    const { region, here, there } = queues(3);
    assert.deepEqual([here.join('a'), there.join('b'), here.join('c')], [0, 1, 2]);
    assert.deepEqual([here.join('d'), there.join('e')], [-1, -1]);
    assert.equal(word(region, 'queued'), 3);
    there.leave('b');
    assert.equal(there.join('f'), 2);
  });

  test('removes a waiter once, in any position', () => {
    const { region, here } = queues();
    for (const name of ['a', 'b', 'c']) here.join(name);
    here.leave('b');
    here.leave('b');
    here.leave('nobody');
    assert.deepEqual([here.first(), here.size, word(region, 'queued')], ['a', 2, 2]);
    here.leave('a');
    here.leave('c');
    assert.equal(hasWaiters(region, 0), false);
    assert.equal(word(region, 'ticketNext'), word(region, 'ticketServed'));
  });

  test('makes a worker wait for older waiters of other workers, within the slack', () => {
    const { here, there } = queues();
    for (const name of ['a', 'b', 'c', 'd']) here.join(name);
    there.join('e');
    assert.equal(there.isTurnOfFirst(4), false);
    here.leave('a');
    assert.equal(there.isTurnOfFirst(4), true);
    assert.equal(there.isTurnOfFirst(3), false);
    assert.equal(here.isTurnOfFirst(1), true);
  });

  test('continues when its tickets wrap around', () => {
    const { region, here, there } = queues();
    for (const name of ['ticketNext', 'ticketServed'] as const) {
      region.words[region.upstreamWord(0) + UPSTREAM[name].index] = 0x7fff_fffe;
    }
    for (const name of ['a', 'b', 'c']) here.join(name);
    there.join('d');
    assert.equal(there.isTurnOfFirst(3), false);
    here.leave('a');
    assert.equal(there.isTurnOfFirst(3), true);
    assert.equal(here.isTurnOfFirst(1), true);
  });

  test('serves two workers equally if places become free in one of them only', () => {
    const { here, there } = queues();
    const random = seededRandom(3);
    const served: number[] = [0, 0];
    const slack = 3;
    let nextName = 0;
    for (let round = 0; round < 20_000; round++) {
      const both = [here, there];
      const joins = both[Math.floor(random.next() * 2)]!;
      if (here.size + there.size < 100) joins.join(`w${nextName++}`);
      // A place is free: the worker that freed it looks first, three times out of four it is this one.
      const order = random.next() < 0.75 ? [0, 1] : [1, 0];
      const winner = order.find((worker) => both[worker]!.isTurnOfFirst(slack));
      if (winner === undefined) continue;
      both[winner]!.leave(both[winner]!.first()!);
      served[winner]!++;
    }
    const share = served[0]! / (served[0]! + served[1]!);
    assert.ok(Math.abs(share - 0.5) < 0.02, served.join(' and '));
  });
});
