// An endpoint that is well again must not stand idle while clients get 503, because its check is late or because refused
// connections have used up the retry budget. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY, type Availability } from '../../core/availability.ts';
import { failureOf } from '../../core/failure.ts';
import { E_AVAILABILITY, E_SUSPECT, SUSPICION, UPSTREAM } from '../../core/memory/layout.ts';
import { HEARTBEAT } from '../support/health-bench.ts';
import { ForwardingBench } from '../support/forwarding.ts';
import { snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const REFUSED = failureOf('connect-refused', false);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ whenAllDown: 'wait', ...upstream })] }));
}

function mark(bench: ForwardingBench, slots: readonly number[], availability: Availability): void {
  for (const slot of slots) {
    bench.region.words[bench.region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY[availability];
  }
  Atomics.add(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
}

function emptyBudget(bench: ForwardingBench): void {
  Atomics.store(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index, 0);
}

describe('with every endpoint marked down', () => {
  test('the first attempt of a GET goes to one of them, and succeeds where it is well again', () => {
    for (const whenAllDown of ['wait', 'fail', 'try-all'] as const) {
      const bench = benchWith({ whenAllDown });
      mark(bench, [0, 1, 2], 'down');
      const client = bench.request();
      bench.last.answer();
      assert.equal(client.log[0], 'head 200', whenAllDown);
    }
  });

  test('a GET tries each of them once without any retry budget, then waits and is served by the first that is up', () => {
    const bench = benchWith();
    mark(bench, [0, 1, 2], 'down');
    emptyBudget(bench);
    const client = bench.request();
    for (let tries = 1; tries <= 3; tries++) {
      assert.equal(bench.attempts.length, tries);
      bench.last.events.onFailure(REFUSED);
    }
    assert.equal(new Set(bench.attempts.map(({ slot }) => slot)).size, 3);
    bench.advance(1000);
    assert.equal(bench.attempts.length, 3, 'no endpoint is tried twice while it is down');
    assert.equal(client.reply, null);
    mark(bench, [1], 'up');
    bench.advance(200);
    assert.equal(bench.last.slot, 1);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('a POST is sent to none of them: it waits, and is served by the first that is up', () => {
    const bench = benchWith();
    mark(bench, [0, 1, 2], 'down');
    const client = bench.request({ method: 'POST' });
    bench.advance(2000);
    assert.equal(bench.attempts.length, 0);
    mark(bench, [2], 'up');
    bench.advance(50);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('GETs that have tried all of them are all sent as soon as one is up', () => {
    const bench = benchWith();
    mark(bench, [0, 1, 2], 'down');
    for (let sent = 0; sent < 20; sent += 1) {
      const before = bench.attempts.length;
      bench.request();
      for (let tried = 0; tried < 3; tried += 1) bench.last.events.onFailure(REFUSED);
      assert.equal(bench.attempts.length - before, 3);
    }
    mark(bench, [1], 'up');
    bench.advance(60);
    assert.equal(bench.attempts.length, 80);
  });

  test('a good answer of one of them is reported once, so that its heartbeat decides', () => {
    const bench = benchWith();
    mark(bench, [0, 1, 2], 'down');
    for (let sent = 0; sent < 3; sent += 1) {
      bench.request();
      bench.last.answer();
    }
    const reports = bench.messages.filter(({ kind }) => kind === 'alive');
    assert.equal(new Set(reports.map((report) => 'slot' in report && report.slot)).size, reports.length);
    assert.ok(reports.length > 0);
  });

  test('the wait is bounded by the queue timeout, and the queue by its length', async () => {
    const bench = benchWith({ limits: { ...upstreamSnapshot().limits, maxQueue: 1 } });
    mark(bench, [0, 1, 2], 'down');
    const waiting = bench.request({ method: 'POST' });
    assert.equal(bench.request({ method: 'POST' }).reply?.status, 503, 'the queue is full');
    bench.advance(upstreamSnapshot().timeouts.queueMs + 100);
    await settled();
    assert.equal(waiting.reply?.status, 503);
    assert.equal(bench.records.at(-1)?.termination, 'queueTimeout');
  });

  test('endpoints that an operator took out are never tried', () => {
    const bench = benchWith({ whenAllDown: 'fail' });
    mark(bench, [0, 1, 2], 'maintenance');
    assert.equal(bench.request().reply?.status, 503);
    assert.equal(bench.attempts.length, 0);
  });
});

describe('with only endpoints left that have just failed', () => {
  const failing = (upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench => {
    const bench = benchWith({ heartbeat: HEARTBEAT, ...upstream });
    mark(bench, [0, 1], 'down');
    mark(bench, [2], 'suspect');
    bench.region.words[bench.region.endpointWord(2) + E_SUSPECT] = SUSPICION.failure;
    mark(bench, [], 'up');
    return bench;
  };

  test('a POST waits until a heartbeat has decided, and is sent once', () => {
    const bench = failing();
    const client = bench.request({ method: 'POST' });
    bench.advance(300);
    assert.equal(bench.attempts.length, 0);
    bench.region.words[bench.region.endpointWord(2) + E_SUSPECT] = SUSPICION.none;
    mark(bench, [2], 'up');
    bench.advance(50);
    assert.equal(bench.attempts.length, 1);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('a GET is sent at once', () => {
    const bench = failing();
    bench.request();
    assert.equal(bench.last.slot, 2);
  });

  for (const [name, upstream] of [
    ['without a heartbeat, which alone could decide,', { heartbeat: null }],
    ['where requests do not wait by configuration', { whenAllDown: 'fail' }],
  ] as const) {
    test(`a POST is sent at once ${name}`, async () => {
      const bench = failing(upstream);
      bench.request({ method: 'POST' });
      await settled();
      bench.advance(1);
      assert.equal(bench.attempts.length, 1);
    });
  }
});

describe('a refused connection', () => {
  for (const method of ['GET', 'POST']) {
    test(`of a ${method} is retried at once without any retry budget`, () => {
      const bench = benchWith();
      emptyBudget(bench);
      const client = bench.request({ method });
      bench.last.events.onFailure(REFUSED);
      bench.last.events.onFailure(failureOf('connect-timeout', false));
      bench.last.answer();
      assert.equal(client.log[0], 'head 200');
      assert.equal(bench.records[0]?.retryVerdict, 'never-sent');
    });
  }

  test('withdraws nothing from the retry budget', () => {
    const bench = benchWith();
    const balance = (): number => bench.region.words[bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index]!;
    emptyBudget(bench);
    bench.request();
    const deposited = balance();
    bench.last.events.onFailure(REFUSED);
    bench.last.answer();
    assert.equal(balance(), deposited);
  });
});
