// The report of a chaos run, its place in docs/chaos.md, and the planned runs. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { placeReport } from '../../../../scripts/bench/report.ts';
import { Book } from '../../../../scripts/chaos/book.ts';
import type { Figures } from '../../../../scripts/chaos/figures.ts';
import { readOptions } from '../../../../scripts/chaos/options.ts';
import { isReady, programmeOf, tasksOf } from '../../../../scripts/chaos/programme.ts';
import { PROXIES } from '../../../../scripts/chaos/proxies/registry.ts';
import { missesOf, renderReport } from '../../../../scripts/chaos/report.ts';

const EVEN = { p50: 2, p99: 5, p999: 50, max: 100 };
const LATE = { p50: 1, p99: 50, p999: 60, max: 70 };
const FIGURES: Figures = {
  requests: 20_000,
  failedGets: 0,
  failedPosts: 0,
  failedPostsUnderWay: 0,
  doubledPosts: 0,
  availability: 1,
  ofSuccesses: EVEN,
  ofAll: EVEN,
  attemptsPerRequest: 1,
  failedBy: {},
  slowBy: {},
  failures: {},
  shares: [1],
  lastFailureMs: 0,
  lag: { p50: 0.5, p99: 1, p999: 2, max: 3 },
};

const programme = (args: string) => programmeOf(readOptions(args.split(' '))!, PROXIES);

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-report-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'results.json');
}

test('a scenario runs with each seed, with all compared proxies in sequence', () => {
  const parts = programme('--scenario full-load --seeds 1,2');
  assert.deepEqual(
    parts.map(({ title, settings }) => `${title} ${settings.seed}`),
    ['full-load, least-request 1', 'full-load, least-request 2'],
  );
  assert.deepEqual(
    tasksOf(parts.slice(0, 1)).map((task) => `${task.proxy.name} ${task.case.name}`),
    PROXIES.flatMap(({ name }) => [`${name} least-request`, `${name} round-robin`]),
  );
});

test('"all" is the main scenario with all seeds, in two ways, and each of the others with the first seed', () => {
  const parts = programme('--scenario all --seeds 4,5');
  const titles = parts.map(({ title, settings }) => `${title} ${settings.seed}`);
  assert.deepEqual(titles.slice(0, 8), [
    'faults, defaults 4',
    'faults, defaults 5',
    'faults, recommended 4',
    'faults, recommended 5',
    'faults, recommended, round-robin 4',
    'faults, recommended, round-robin 5',
    'bursts, defaults 4',
    'bursts, recommended 4',
  ]);
  for (const name of [
    'rolling-restart',
    'only-endpoint',
    'retry-storm',
    'metastability',
    'full-load',
    'failing-fast',
  ]) {
    assert.ok(titles.includes(`${name}, least-request 4`), name);
  }
  assert.ok(titles.includes('slow-endpoint, peak-ewma 4'));
  assert.equal(titles.length, 6 + 2 + 7 + 1);
});

test('the main scenario runs with both profiles, with one, or under another balancer with recommended settings', () => {
  const titles = (args: string) =>
    programme(`--seeds 1 ${args}`).map(({ title, settings }) => [title, settings.profile]);
  assert.deepEqual(titles('--rate 100'), [
    ['faults, defaults', 'defaults'],
    ['faults, recommended', 'recommended'],
  ]);
  assert.deepEqual(titles('--profile defaults --scenario bursts'), [['bursts, defaults', 'defaults']]);
  const byRoundRobin = [['faults, recommended, round-robin', 'recommended']];
  assert.deepEqual(titles('--balance round-robin'), byRoundRobin);
});

test('a book stores measurements, and repeats those with a late client at most three times', (t) => {
  const file = fileIn(t);
  const tasks = tasksOf(programme('--scenario only-endpoint --seeds 1 --proxies all'));
  Book.open(file).add(tasks[0]!, '1.0', FIGURES);
  const book = Book.open(file);
  assert.deepEqual(
    tasks.map((task) => book.isDone(task)),
    [true, false, false, false],
  );
  for (const isDone of [false, false, true]) {
    book.add(tasks[1]!, '2.0', { ...FIGURES, lag: LATE });
    assert.equal(book.isDone(tasks[1]!), isDone);
  }
  const results = book.resultsOf(tasks[0]!.part);
  assert.deepEqual([...results.keys()], ['fairlead', 'haproxy']);
  assert.deepEqual(results.get('fairlead')!.get(''), FIGURES);
  assert.deepEqual(book.versionsOf('haproxy'), ['2.0']);
});

test('a part is reported when its first proxy has run all cases', () => {
  const [part] = programme('--scenario full-load --seeds 1 --proxies fairlead,nginx');
  const after = (...names: string[]) => new Map([['fairlead', new Map(names.map((name) => [name, FIGURES]))]]);
  assert.ok(!isReady(part!, new Map()));
  assert.ok(!isReady(part!, after('least-request')));
  assert.ok(isReady(part!, after('least-request', 'round-robin')));
});

test('a file without results is refused', (t) => {
  const file = fileIn(t);
  writeFileSync(file, '{}');
  assert.throws(() => Book.open(file), /holds no results/);
});

test('a report lists aims and figures by seed, and the missed ones', () => {
  const measured = programme('--seeds 1,2 --profile recommended').map((part) => {
    const ours = part.settings.seed === 1 ? FIGURES : { ...FIGURES, failedGets: 3, lag: LATE };
    const nginx = { ...FIGURES, failedGets: 7 };
    return {
      part,
      results: new Map(Object.entries({ fairlead: ours, nginx }).map(([n, f]) => [n, new Map([['', f]])])),
    };
  });
  const report = renderReport(measured, [['date', '2026-11-21']]);
  assert.match(report, /^- date: 2026-11-21\n/);
  assert.match(report, /\| GETs that failed +\| none +\| +0, 3 \| +7 \| +missed \(seed 2\) \|/);
  assert.match(report, /\| p99\.9 .*\| +not judged \(seed 2\) \|/);
  assert.match(report, /\| requests that succeeded +\|.*\| +met \|/);
  assert.match(report, /### faults, recommended\n\n\| +\| seed \|/);
  const misses = missesOf(measured).join('\n');
  assert.match(misses, /^faults, recommended, seed 2: missed: GETs that failed: fairlead 3, nginx 7; wanted none$/m);
  assert.match(misses, /seed 2: not judged: p99:/);
  assert.doesNotMatch(misses, /seed 1/);
});

test('a report is written into docs/chaos.md without changing other text', () => {
  const document = readFileSync(new URL('../../../../docs/chaos.md', import.meta.url), 'utf8');
  const placed = placeReport(placeReport(document, 'first\n', 'chaos'), 'second\n', 'chaos');
  assert.match(placed, /from here -->\n\nsecond\n\n<!-- results: to here -->\n/);
  assert.doesNotMatch(placed, /first\n\n<!--/);
  assert.ok(placed.startsWith(document.slice(0, document.indexOf('<!-- results'))));
});
