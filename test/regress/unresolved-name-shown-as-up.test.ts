// A host name that never had an address, or has lost it, is `unresolved`, warned about at the start and counted. It was
// shown as up with all requests failing. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HealthBench, OWN_TROUBLE, PASSES, UNRESOLVED } from '../support/health-bench.ts';
import { endpointSnapshot } from '../support/snapshots.ts';

describe('with heartbeats', () => {
  test('a name that never existed is unresolved at the first heartbeat, with a warning', () => {
    const bench = new HealthBench({ endpoints: 2 });
    bench.checker.results.set(0, UNRESOLVED);
    bench.begin();
    assert.deepEqual(bench.allPublished(), ['unresolved', 'up']);
    const [line] = bench.lines.filter(({ level }) => level === 'warn');
    assert.match(
      line!.text,
      /^endpoint api\/127.0.0.1:3000 has no address: heartbeat GET \/healthz: name not resolved/,
    );
    assert.ok(bench.view(0).counters.resolutionFailures >= 1);
  });

  test('a name that vanishes is unresolved after three lookups, and back at the first that succeeds', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, UNRESOLVED);
    bench.health.checkNow(0);
    bench.health.checkNow(0);
    assert.equal(bench.published(0), 'up');
    bench.health.checkNow(0);
    assert.equal(bench.published(0), 'unresolved');
    bench.checker.results.set(0, PASSES);
    bench.clock.advance(2_300);
    assert.equal(bench.published(0), 'up');
  });

  test('lookups that fail while live traffic succeeds change nothing, nor does trouble of our own', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, UNRESOLVED);
    bench.checker.results.set(1, OWN_TROUBLE);
    for (let step = 0; step < 100; step++) {
      bench.succeed(0);
      bench.clock.advance(100);
    }
    assert.deepEqual(bench.allPublished(), ['up', 'up', 'up']);
  });
});

describe('without heartbeats', () => {
  test('names are looked up, addresses are not', () => {
    const known = new Set(['app.internal']);
    const asked: string[] = [];
    const bench = new HealthBench({
      heartbeat: null,
      lookup: (host, done) => {
        asked.push(host);
        done(known.has(host) ? '' : 'ENOTFOUND');
      },
    });
    const hosts = ['app.internal', 'gone.internal', '10.0.0.1'];
    bench.apply({ endpoints: hosts.map((host, slot) => endpointSnapshot(slot, { host })) });
    assert.deepEqual(bench.allPublished(), ['up', 'unresolved', 'up']);
    known.add('gone.internal');
    known.delete('app.internal');
    bench.clock.advance(35_000);
    assert.deepEqual(bench.allPublished(), ['unresolved', 'up', 'up']);
    assert.deepEqual([...new Set(asked)].sort(), ['app.internal', 'gone.internal']);
    bench.health.stop();
    assert.equal(bench.clock.pendingCount, 0);
  });
});
