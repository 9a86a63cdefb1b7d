// Load shedding: when requests are refused, which of them first, and how it ends. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WORKER } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import type { Priority } from '../../../../core/snapshot/route.ts';
import type { OverloadSnapshot } from '../../../../core/snapshot/snapshot.ts';
import { Overload } from '../../../../proxy/policies/overload.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { literal, routeSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const MIB = 2 ** 20;
const PRIORITIES: readonly Priority[] = ['critical', 'default', 'sheddable'];

/** One worker of two whose readings a test sets. */
class OverloadBench {
  readonly region = Region.allocate({ endpoints: 8, upstreams: 1, workers: 2, listeners: 1 }, 0);
  settings: OverloadSnapshot = { memoryBytes: 0, requests: 0, eventLoopLagMs: 0, replayBytes: MIB };
  heapMiB = 0;
  externalMiB = 0;
  collections = 0;
  readonly changes: (string | null)[] = [];
  nowMs = 0;
  readonly overload = new Overload({
    region: this.region,
    worker: 0,
    settings: () => this.settings,
    readMemory: () => ({
      heapBytes: this.heapMiB * MIB,
      heapLimitBytes: 1000 * MIB,
      externalBytes: this.externalMiB * MIB,
    }),
    collectGarbage: () => void this.collections++,
    onChange: (cause) => void this.changes.push(cause),
  });

  /** Time passes, and the event loop is so late all the time. */
  pass(ms: number, lateMs = 0): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 5 + lateMs;
      this.overload.tick(this.nowMs, lateMs);
    }
    return this;
  }

  set(worker: number, word: { readonly index: number }, value: number): void {
    this.region.words[this.region.workerWord(worker) + word.index] = value;
  }

  get(word: { readonly index: number }): number {
    return this.region.words[this.region.workerWord(0) + word.index]!;
  }

  /** Priorities that are refused now. */
  get refused(): Priority[] {
    return PRIORITIES.filter((priority) => this.overload.mustRefuse(priority));
  }
}

describe('a process under its limits', () => {
  test('refuses nobody, and has no limit but its heap where none is set', () => {
    const bench = new OverloadBench().pass(200);
    bench.externalMiB = 100_000;
    bench.set(1, WORKER.openExchanges, 1_000_000);
    assert.deepEqual(bench.pass(1_000, 400).refused, []);
    bench.heapMiB = 851;
    assert.deepEqual(bench.pass(100).refused, PRIORITIES);
  });

  test('reports its memory use', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, memoryBytes: 100 * MIB };
    bench.heapMiB = 10;
    bench.externalMiB = 30;
    bench.pass(100);
    assert.deepEqual([bench.get(WORKER.memory), bench.get(WORKER.pressure)], [40 * 1024, 400]);
  });
});

describe('memory', () => {
  test('counts over all workers, heaps and buffers', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, memoryBytes: 100 * MIB };
    bench.heapMiB = 20;
    bench.externalMiB = 30;
    assert.deepEqual(bench.pass(100).refused, []);
    bench.set(1, WORKER.memory, 46 * 1024);
    assert.deepEqual(bench.pass(100).refused, ['default', 'sheddable']);
    bench.set(1, WORKER.memory, 0);
    assert.deepEqual(bench.pass(100).refused, []);
  });

  test('refuses the least important first: at 80, 95 and 100 percent', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, memoryBytes: 100 * MIB };
    for (const [externalMiB, refused] of [
      [79, []],
      [80, ['sheddable']],
      [94, ['sheddable']],
      [95, ['default', 'sheddable']],
      [99, ['default', 'sheddable']],
      [100, PRIORITIES],
    ] as const) {
      bench.externalMiB = externalMiB;
      assert.deepEqual(bench.pass(100).refused, refused, `${externalMiB} MiB`);
    }
  });

  test('that stays full is collected once in five seconds: who refuses everything makes no garbage to be collected', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, memoryBytes: 100 * MIB };
    bench.externalMiB = 99;
    bench.pass(900);
    assert.equal(bench.collections, 0);
    bench.pass(300);
    assert.equal(bench.collections, 1);
    bench.pass(4_500);
    assert.equal(bench.collections, 1);
    bench.pass(1_000);
    assert.equal(bench.collections, 2);
    bench.externalMiB = 10;
    bench.pass(10_000);
    assert.equal(bench.collections, 2);
  });

  test('follows a changed limit', () => {
    const bench = new OverloadBench();
    bench.externalMiB = 50;
    assert.deepEqual(bench.pass(100).refused, []);
    bench.settings = { ...bench.settings, memoryBytes: 50 * MIB };
    assert.deepEqual(bench.pass(100).refused, PRIORITIES);
  });
});

describe('requests in progress', () => {
  test('count over all workers, the one that asks among them, by its importance', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, requests: 20 };
    bench.set(0, WORKER.openExchanges, 10);
    for (const [others, refused] of [
      [6, []],
      [7, ['sheddable']],
      [9, ['sheddable']],
      [10, ['default', 'sheddable']],
      [11, PRIORITIES],
    ] as const) {
      bench.set(1, WORKER.openExchanges, others);
      assert.deepEqual(bench.refused, refused, `with ${others} in the other worker`);
    }
  });
});

describe('the event loop', () => {
  test('counts where it is late all the time', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, eventLoopLagMs: 40 };
    assert.deepEqual(bench.pass(500, 30).refused, []);
    assert.deepEqual(bench.pass(500, 39).refused, ['default', 'sheddable']);
    assert.deepEqual(bench.pass(500, 50).refused, PRIORITIES);
    assert.deepEqual(bench.pass(500).refused, []);
  });

  test('may pause once: that was the garbage collector', () => {
    const bench = new OverloadBench();
    bench.settings = { ...bench.settings, eventLoopLagMs: 40 };
    for (let i = 0; i < 10; i++) assert.deepEqual(bench.pass(80).pass(5, 500).pass(40).refused, []);
  });
});

test('the log has a line for the begin of shedding, and one for its end five seconds after the last refusal', () => {
  const bench = new OverloadBench();
  bench.settings = { ...bench.settings, memoryBytes: 100 * MIB };
  bench.externalMiB = 200;
  bench.pass(1_000);
  assert.deepEqual(bench.changes, [], 'nobody was refused yet');
  assert.equal(bench.refused.length, 3);
  bench.pass(1_000);
  assert.equal(bench.refused.length, 3);
  bench.externalMiB = 0;
  bench.pass(4_900);
  assert.deepEqual(bench.changes, ['memory']);
  bench.pass(200);
  assert.deepEqual(bench.changes, ['memory', null]);
});

describe('an exchange that is refused', () => {
  test('gets 503 with a Retry-After of one to three seconds, and is accounted as shed', () => {
    const bench = new ForwardingBench(snapshot());
    bench.mustShed = true;
    const retries = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { reply } = bench.request();
      assert.equal(reply!.status, 503);
      retries.add(reply!.fields[reply!.fields.indexOf('Retry-After') + 1]!);
    }
    assert.deepEqual([...retries].toSorted(), ['1', '2', '3']);
    assert.equal(bench.attempts.length, 0);
    bench.mustShed = false;
    bench.request();
    assert.equal(bench.attempts.length, 1);
  });

  test('is written down as such', async () => {
    const bench = new ForwardingBench(snapshot());
    bench.mustShed = true;
    bench.request();
    await Promise.resolve();
    assert.deepEqual(
      bench.records.map(({ termination, status, upstream }) => [termination, status, upstream?.name]),
      [['shed', 503, 'api']],
    );
  });

  test('is none that a route answers by itself', () => {
    const action = {
      kind: 'respond',
      status: 200,
      contentType: 'text/plain',
      body: literal('pong'),
      isBinary: false,
    } as const;
    const bench = new ForwardingBench(snapshot({ routes: [routeSnapshot({ action })] }));
    bench.mustShed = true;
    assert.equal(bench.request().reply!.status, 200);
  });
});

test('a sheddable request leaves the last fifth of the queue to others', () => {
  const limits = { maxConnections: 1, maxQueue: 10, maxIdle: 64, isAdaptive: false };
  const upstream = upstreamSnapshot({ limits, endpoints: upstreamSnapshot().endpoints.slice(0, 1) });
  const sheddable = routeSnapshot({ name: 'extra', priority: 'sheddable' });
  const isExtra = { ...sheddable, match: { ...sheddable.match, paths: [{ kind: 'exact', value: '/extra' } as const] } };
  const bench = new ForwardingBench(snapshot({ upstreams: [upstream], routes: [isExtra, routeSnapshot()] }));
  bench.request();
  const extra = Array.from({ length: 9 }, () => bench.request({ target: '/extra' }));
  assert.deepEqual(
    extra.map(({ reply }) => reply?.status ?? 0),
    [0, 0, 0, 0, 0, 0, 0, 0, 503],
  );
  const others = Array.from({ length: 3 }, () => bench.request());
  assert.deepEqual(
    others.map(({ reply }) => reply?.status ?? 0),
    [0, 0, 503],
  );
});
