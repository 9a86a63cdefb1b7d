// Retries stay within the budget when every request that was sent fails (docs/algorithms.md 4.2). Unsent ones need no budget:
// their number per request is limited, and a refused connection is no load.
// A simulation on a fake clock with a fixed seed. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { seededRandom } from '../../../../core/random.ts';
import { topUpBudget } from '../../../../proxy/placement/retry-budget.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const SECONDS = 30;
const SETTINGS = { ...upstreamSnapshot().retry, attempts: 2, statuses: [503] };
/** Initial balance of the budget, ten seconds of its floor of 3, and the floor that each second adds. */
const FLOOR_AT_BEGIN = 30;
const FLOOR_PER_SECOND = 3;

const FAILURES = [
  ['every connection is reset', failureOf('reset', true)],
  ['every answer is 503', 503],
] as const;

for (const [name, failure] of FAILURES) {
  for (const rate of [20, 200]) {
    test(`${name} at ${rate} requests a second: at most a fifth more attempts, and the floor`, async () => {
      const bench = new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ retry: SETTINGS })] }));
      const random = seededRandom(rate);
      const attemptsAt: number[] = [];
      let played = 0;
      let requests = 0;
      const fail = (): void => {
        for (; played < bench.attempts.length; played++) {
          attemptsAt.push(bench.nowMs);
          const { events } = bench.attempts[played]!;
          events.onLease(false);
          if (failure !== 503) events.onFailure(failure);
          else {
            events.onHead(responseHead(503));
            events.onEnd(null);
          }
        }
      };
      for (let tick = 0; tick < SECONDS * 100; tick++) {
        const due = ((tick + 1) * rate) / 100;
        for (; requests < due; requests++) {
          bench.request({ method: random.next() < 0.2 ? 'POST' : 'GET' });
          fail();
        }
        bench.advance(10);
        fail();
        if (tick % 100 === 99) topUpBudget(bench.region, 0, SETTINGS, rate);
      }
      const beganMs = attemptsAt[0]!;
      for (let second = 0; second + 10 <= SECONDS; second++) {
        const [from, to] = [beganMs + second * 1000, beganMs + (second + 10) * 1000];
        const attempts = attemptsAt.filter((ms) => ms >= from && ms < to).length;
        const most = 10 * rate * 1.2 + FLOOR_AT_BEGIN + 10 * FLOOR_PER_SECOND + 1;
        assert.ok(attempts <= most, `${attempts} attempts in the ten seconds from ${second} on, ${most} allowed`);
      }
      assert.ok(attemptsAt.length > requests * 1.1, 'the budget is used');
      await new Promise((resolve) => setImmediate(resolve));
      const verdicts = new Set(bench.records.map(({ retryVerdict }) => retryVerdict));
      assert.ok(verdicts.has('refused-budget'));
    });
  }
}
