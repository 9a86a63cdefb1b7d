// Every word of the shared layout has a writer: for each word, a scenario with the real parts changes it. Words that only a
// whole process writes are in test/integration/core/memory/layout-writers.test.ts. Thread: both.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { E_LIMIT, ENDPOINT, HEADER, UPSTREAM, type Word, WORKER } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import { Overload } from '../../../../proxy/policies/overload.ts';
import { ConnectionLedger } from '../../../../proxy/downstream/accept/connection-ledger.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { HealthBench, REFUSED } from '../../../support/health-bench.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';
import { PROCESS_WORDS } from '../../../support/process-words.ts';

const MIB = 2 ** 20;

const RECORDS = { HEADER, ENDPOINT, UPSTREAM, WORKER } as const;
type RecordName = keyof typeof RECORDS;

const seen = new Set<string>(PROCESS_WORDS);

function read(region: Region, record: RecordName, word: Word): number {
  const base = {
    HEADER: 0,
    ENDPOINT: region.endpointWord(0),
    UPSTREAM: region.upstreamWord(0),
    WORKER: region.workerWord(0),
  };
  const index = base[record] + word.index;
  return word.type === 'f64' ? region.doubles[index / 2]! : region.words[index]!;
}

/** Asserts that `run` changes these words of the first records. */
function moves(region: Region, names: readonly string[], run: () => void): void {
  const values = (): number[] =>
    names.map((name) => {
      const [record, word] = name.split('.') as [RecordName, string];
      return read(region, record, (RECORDS[record] as Readonly<Record<string, Word>>)[word]!);
    });
  const before = values();
  run();
  const now = values();
  for (const [at, name] of names.entries()) {
    assert.notEqual(now[at], before[at], `${name} changes`);
    seen.add(name);
  }
}

const ONLY = { endpoints: [endpointSnapshot(0)] };
const benchOf = (upstream: Parameters<typeof upstreamSnapshot>[0]): ForwardingBench =>
  new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot(upstream)] }));

test('the header', () => {
  const zero = new SharedArrayBuffer(1024);
  const capacity = { endpoints: 1, upstreams: 2, workers: 3, listeners: 4 };
  const region = Region.allocate(capacity, 1_700_000_000_000);
  const empty = new Int32Array(zero);
  for (const [name, word] of Object.entries(HEADER)) {
    if (PROCESS_WORDS.includes(`HEADER.${name}`)) continue;
    const value = (word as Word).type === 'f64' ? region.doubles[word.index / 2]! : region.words[word.index]!;
    assert.notEqual(value, empty[word.index], name);
    seen.add(`HEADER.${name}`);
  }
});

test('a request that waits, is answered and balanced by latency', () => {
  const bench = benchOf({ ...ONLY, limits: { ...upstreamSnapshot().limits, maxConnections: 1 } });
  bench.region.words[bench.region.endpointWord(0) + E_LIMIT] = 1;
  moves(bench.region, ['ENDPOINT.inflight', 'WORKER.openExchanges', 'UPSTREAM.retryBalance'], () => bench.request());
  const queued = ['ENDPOINT.queued', 'UPSTREAM.queued', 'UPSTREAM.ticketNext'];
  moves(bench.region, queued, () => bench.request());
  moves(bench.region, ['ENDPOINT.lastSuccessMs', 'WORKER.wake'], () => bench.last.answer());
  moves(bench.region, ['UPSTREAM.ticketServed'], () => bench.forwarder.onWake());
  const ewma = benchOf({ balance: { kind: 'peak-ewma', decayMs: 10_000, errorPenaltyMs: 5000 }, ...ONLY });
  moves(ewma.region, ['ENDPOINT.ewmaCostMs', 'ENDPOINT.ewmaStampMs'], () => {
    ewma.request();
    ewma.advance(10);
    ewma.last.answer();
  });
  const rounds = benchOf({ balance: { kind: 'round-robin' } });
  moves(rounds.region, ['UPSTREAM.roundRobinCursor'], () => rounds.request());
});

test('a request that fails and is retried', () => {
  const bench = benchOf({ balance: { kind: 'first' } });
  const failed = ['ENDPOINT.consecutiveFailures', 'ENDPOINT.suspect', 'UPSTREAM.suspects', 'UPSTREAM.activeRetries'];
  moves(bench.region, failed, () => {
    bench.request();
    bench.last.events.onFailure(failureOf('connect-refused', false));
  });
  bench.last.events.onLease(false);
  moves(bench.region, ['UPSTREAM.activeRetries'], () => {
    bench.last.events.onHead(responseHead(200));
    bench.last.events.onEnd(null);
  });
});

test('a half-open endpoint that is tried', () => {
  const bench = benchOf(ONLY);
  bench.region.words[bench.region.endpointWord(0) + ENDPOINT.availability.index] = 2;
  Atomics.add(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
  moves(bench.region, ['ENDPOINT.halfOpenToken'], () => bench.request());
});

test('an endpoint that is adopted, goes down and comes back by slow start', () => {
  const bench = new HealthBench({ endpoints: 1, slowStartMs: 60_000 });
  bench.upstream = { ...bench.upstream, endpoints: [endpointSnapshot(0, { generation: 1, weight: 3 })] };
  const adopted = ['ENDPOINT.generation', 'ENDPOINT.weight', 'UPSTREAM.epoch'];
  moves(bench.region, adopted, () => bench.begin());
  moves(bench.region, ['ENDPOINT.limit'], () =>
    bench.apply({ limits: { ...bench.upstream.limits, maxConnections: 7 } }),
  );
  moves(bench.region, ['ENDPOINT.availability', 'UPSTREAM.allDown'], () => {
    bench.checker.results.set(0, REFUSED);
    bench.clock.advance(10_000);
  });
  const wide = new HealthBench({ endpoints: 3, slowStartMs: 60_000 }).begin();
  wide.checker.results.set(0, REFUSED);
  wide.clock.advance(10_000);
  moves(wide.region, ['ENDPOINT.warmStartMs', 'ENDPOINT.factor'], () => {
    wide.checker.results.delete(0);
    wide.clock.advance(10_000);
  });
});

test('a worker that accepts connections and measures its memory', () => {
  const region = regionFor(snapshot());
  const ledger = new ConnectionLedger(region, 0);
  moves(region, ['WORKER.openConnections'], () => ledger.opened(0));
  const overload = new Overload({
    region,
    worker: 0,
    settings: () => ({ ...snapshot().overload, memoryBytes: 100 * MIB }),
    readMemory: () => ({ heapBytes: 10 * MIB, heapLimitBytes: 100 * MIB, externalBytes: MIB }),
    collectGarbage: () => undefined,
    onChange: () => undefined,
  });
  moves(region, ['WORKER.memory', 'WORKER.pressure'], () => overload.tick(1000, 0));
});

after(() => {
  const all = Object.entries(RECORDS).flatMap(([record, words]) =>
    Object.keys(words).map((word) => `${record}.${word}`),
  );
  assert.deepEqual(
    all.filter((name) => !seen.has(name)),
    [],
    'words that no scenario changes',
  );
});
