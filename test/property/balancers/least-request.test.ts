// Properties of least-request and the in-flight count under any interleaving of workers. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { release, repairAfterCrash, reserve } from '../../../core/memory/reservation.ts';
import { BALANCES, Balancing, testRegion } from '../../support/balancing.ts';

const WORKERS = 3;
/** Start, finish, retry (release and pick elsewhere) and crash, each by a worker; `nth` chooses among open requests. */
const events = fc.array(
  fc.record({
    kind: fc.constantFrom('start', 'start', 'start', 'finish', 'retry', 'crash'),
    worker: fc.nat({ max: WORKERS - 1 }),
    nth: fc.nat({ max: 1000 }),
  }),
  { maxLength: 120 },
);
const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 12 });

interface Event {
  readonly kind: string;
  readonly worker: number;
  readonly nth: number;
}

/** Several workers' pickers over one region, and a plain list of what each has open. */
class Model {
  readonly #region = testRegion();
  readonly #workers: readonly Balancing[];
  readonly #open: number[][] = Array.from({ length: WORKERS }, () => []);
  readonly #weights: readonly number[];

  constructor(chosen: readonly number[]) {
    this.#weights = chosen;
    this.#workers = this.#open.map((_, worker) => {
      const options = { balance: BALANCES.leastRequest, weights: chosen, region: this.#region };
      return new Balancing({ ...options, worker, seed: worker });
    });
  }

  play({ kind, worker, nth }: Event): void {
    const open = this.#open[worker]!;
    const [slot] = kind === 'finish' || kind === 'retry' ? open.splice(nth % Math.max(1, open.length), 1) : [];
    if (slot !== undefined) release(this.#region, worker, slot);
    if (kind === 'start' || (kind === 'retry' && slot !== undefined))
      this.#start(worker, kind === 'retry' ? slot : undefined);
    if (kind === 'crash') {
      assert.equal(repairAfterCrash(this.#region, worker), open.length);
      open.length = 0;
    }
  }

  #start(worker: number, tried: number | undefined): void {
    const balancing = this.#workers[worker]!;
    balancing.try(...(tried === undefined ? [] : [tried]));
    const slot = balancing.pick();
    if (slot < 0) return;
    assert.notEqual(slot, tried);
    const loads = this.#weights.map((weight, index) => (balancing.inflight(index) + 1) / weight);
    const least = Math.min(...loads.filter((_, index) => index !== tried));
    assert.equal(loads[slot], least, 'the least loaded of all workers');
    assert.ok(reserve(this.#region, worker, slot));
    this.#open[worker]!.push(slot);
  }

  check(): void {
    this.#weights.forEach((_, slot) => {
      const open = this.#open.flat().filter((one) => one === slot).length;
      assert.equal(this.#workers[0]!.inflight(slot), open);
      this.#open.forEach((list, worker) => {
        const own = this.#region.words[this.#region.ownWord(worker, slot)];
        assert.equal(own, list.filter((one) => one === slot).length);
      });
    });
  }
}

test('in-flight counts requests that were started and not finished, and each pick is the least loaded over all workers', () => {
  fc.assert(
    fc.property(weights, events, (chosen, played) => {
      const model = new Model(chosen);
      for (const event of played) {
        model.play(event);
        model.check();
      }
    }),
    { seed: 404, numRuns: 300 },
  );
});

test('requests that stay open keep loads per weight within one request of each other', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 300 }), (chosen, count) => {
      const balancing = new Balancing({ balance: BALANCES.leastRequest, weights: chosen });
      const shares = balancing.shares(count, true);
      // Nobody's load is above what anybody's would be with one more request.
      const next = Math.min(...shares.map((share, index) => (share + 1) / chosen[index]!));
      shares.forEach((share, index) => assert.ok(share / chosen[index]! <= next));
    }),
    { seed: 405, numRuns: 200 },
  );
});
