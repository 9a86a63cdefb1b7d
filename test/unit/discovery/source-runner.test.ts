// One source while it runs: last good set, failures, guard. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuardSnapshot } from '../../../core/snapshot/discovery.ts';
import { seededRandom } from '../../../core/random.ts';
import { refusalOf } from '../../../discovery/admission.ts';
import type { ListOutcome } from '../../../discovery/source.ts';
import { SourceRunner } from '../../../discovery/source-runner.ts';
import { discovered } from '../../support/discovery.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';

const GUARD: GuardSnapshot = { maxRemovedPercent: 50, holdMs: 60_000 };

/** A runner of the source `file` whose file is a list of hosts, or a failure. */
function begin(first: string | readonly string[], guard: GuardSnapshot | null = null) {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const events: string[] = [];
  const world = { content: first, changes: 0, reports: 0, watchers: 0, onChange: (): void => undefined, parts: {} };
  const parseList = (): ListOutcome =>
    typeof world.content === 'string'
      ? { ok: false, cause: world.content }
      : { ok: true, endpoints: world.content.map((host) => discovered(host, world.parts)) };
  const files = {
    watch: (_file: string, onChange: () => void) => {
      world.onChange = onChange;
      world.watchers++;
      return () => void world.watchers--;
    },
    readText: () => JSON.stringify(world.content),
  };
  const runner = new SourceRunner(
    { kind: 'file', settings: { path: '/etc/list.yaml' } },
    guard,
    { upstream: 'api', clock, timers: clock, random: seededRandom(1), files, parseList },
    {
      clock,
      timers: clock,
      log: recordingLog(log),
      refusalOf: (endpoint) => refusalOf(endpoint, { name: 'api', protocol: 'http1' }),
      onEvent: ({ change, cause }) => void events.push(`${change}: ${cause}`),
      onChange: () => void world.changes++,
      onReport: () => void world.reports++,
    },
  );
  const yields = (content: string | readonly string[]): void => {
    world.content = content;
    world.onChange();
  };
  const hosts = () => Array.from(runner.members.values(), ({ host }) => host).join(' ');
  const warnings = () => log.filter(({ level }) => level === 'warn' || level === 'error').map(({ text }) => text);
  return { runner, clock, world, yields, hosts, warnings, events };
}

describe('a source', () => {
  test('yields its set, and reports only sets that differ as changes', () => {
    const { runner, clock, world, yields, hosts } = begin(['a', 'b']);
    assert.equal(hosts(), 'a b');
    clock.advance(5_000);
    yields(['b', 'a']);
    assert.equal(world.changes, 1);
    const { state, endpoints, confirmedAt, changedAt } = runner.view();
    assert.deepEqual({ state, endpoints }, { state: 'current', endpoints: 2 });
    assert.equal(confirmedAt! - changedAt!, 5_000, 'the age counts from the last confirmation');
    yields(['b', 'c']);
    assert.equal(hosts(), 'b c');
    assert.equal(world.changes, 2);
  });

  test('keeps the last good set over failures, and logs each cause once', () => {
    const { runner, world, yields, hosts, warnings } = begin(['a']);
    yields('the server answers SERVFAIL');
    yields('the server answers SERVFAIL');
    assert.equal(hosts(), 'a');
    assert.equal(runner.view().state, 'stale');
    assert.equal(runner.view().failures, 2);
    assert.deepEqual(warnings(), [
      'source file of upstream api failed: the server answers SERVFAIL; 1 endpoint(s) are kept',
    ]);
    yields(['a']);
    assert.equal(runner.view().state, 'current');
    assert.equal(runner.view().cause, '');
    assert.equal(world.changes, 1, 'an equal set after a failure is no change');
  });

  test('fails with a list that has an endpoint of another protocol', () => {
    const { hosts, yields, world, warnings, runner } = begin(['a']);
    world.parts = { protocol: 'tcp' };
    yields(['a', 'b']);
    assert.equal(hosts(), 'a');
    assert.equal(runner.view().state, 'stale');
    assert.deepEqual(warnings(), [
      'source file of upstream api failed: tcp://a:3000 serves TCP sessions, and upstream api serves HTTP requests: give it an http:// or https:// URL; 1 endpoint(s) are kept',
    ]);
  });

  test('is pending until its first set, whatever fails before', () => {
    const { runner, world, yields, hosts } = begin('no such file');
    assert.equal(runner.view().state, 'pending');
    assert.equal(runner.view().confirmedAt, null);
    assert.equal(world.reports, 1, 'a failure is a report: nothing waits for it any longer');
    yields(['a']);
    assert.equal(runner.view().state, 'current');
    assert.equal(hosts(), 'a');
  });

  test('takes an address once', () => {
    assert.equal(begin(['a', 'b', 'a']).hosts(), 'a b');
  });

  test('an empty set is a set', () => {
    const { runner, yields, hosts, warnings } = begin(['a']);
    yields([]);
    assert.equal(hosts(), '');
    assert.equal(runner.view().state, 'current');
    assert.deepEqual(warnings(), ['source file of upstream api removes 1 of 1 endpoints at once; none is left']);
  });

  test('that halves its set is followed and logged', () => {
    const { yields, hosts, warnings } = begin(['a', 'b', 'c', 'd']);
    yields(['a', 'b', 'c']);
    assert.deepEqual(warnings(), []);
    yields(['a']);
    assert.equal(hosts(), 'a');
    assert.deepEqual(warnings(), ['source file of upstream api removes 2 of 3 endpoints at once']);
  });

  test('yields nothing after it was stopped', () => {
    const { runner, world, yields, hosts } = begin(['a']);
    runner.stop();
    assert.equal(world.watchers, 0);
    yields(['b']);
    assert.equal(hosts(), 'a');
  });

  test('emits an event when it fails, recovers, shrinks or is held', () => {
    const { yields, events } = begin(['a', 'b', 'c', 'd'], GUARD);
    yields('broken');
    yields('broken');
    yields(['a', 'b']);
    assert.deepEqual(events, [
      'failed: broken',
      'shrunk: removes 2 of 4 endpoints at once',
      'recovered: after: broken',
    ]);
    const other = begin(['a', 'b', 'c', 'd'], GUARD);
    other.yields(['a']);
    assert.deepEqual(other.events, ['held: the new set removes 3 of 4 endpoints, guard.maxRemovedPercent is 50']);
  });
});

describe('the guard', () => {
  test('lets a set pass that removes no more than its share', () => {
    const { yields, hosts } = begin(['a', 'b', 'c', 'd'], GUARD);
    yields(['a', 'b']);
    assert.equal(hosts(), 'a b');
  });

  test('holds a smaller one until its time is over', () => {
    const { runner, clock, yields, hosts, warnings } = begin(['a', 'b', 'c', 'd'], GUARD);
    yields(['a']);
    assert.equal(hosts(), 'a b c d');
    assert.equal(runner.view().state, 'held');
    assert.match(warnings()[0]!, /is held: the new set removes 3 of 4 endpoints, .* it is held for 60 s$/);
    clock.advance(30_000);
    yields(['d']);
    assert.equal(hosts(), 'a b c d');
    clock.advance(30_000);
    assert.equal(hosts(), 'd', 'the newest set is followed, from the first one held on');
    assert.equal(runner.view().state, 'current');
    assert.equal(clock.pendingCount, 0);
  });

  test('follows a set that is large enough again, at once', () => {
    const { runner, clock, yields, hosts } = begin(['a', 'b', 'c', 'd'], GUARD);
    yields([]);
    yields(['a', 'b', 'c']);
    assert.equal(hosts(), 'a b c');
    assert.equal(runner.view().state, 'current');
    clock.advance(60_000);
    assert.equal(hosts(), 'a b c');
  });

  test('holds for ever without a limit', () => {
    const { clock, yields, hosts } = begin(['a', 'b'], { ...GUARD, maxRemovedPercent: 0, holdMs: 0 });
    yields(['a']);
    clock.advance(86_400_000);
    assert.equal(hosts(), 'a b');
  });

  test('that a reload removes lets the held set go', () => {
    const { runner, yields, hosts } = begin(['a', 'b', 'c'], GUARD);
    yields(['a']);
    runner.setGuard(null);
    assert.equal(hosts(), 'a');
  });
});
