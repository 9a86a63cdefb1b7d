// Every row of the transition tables: the cause of the change stands in the log, in the recorder and in the metrics, and
// `why` shows it. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AdminContext } from '../../../admin/admin-context.ts';
import { Metrics } from '../../../admin/metrics/metrics.ts';
import { ADMIN_EDGES } from '../../../health/state/endpoint-state.ts';
import { CHECK_EDGES } from '../../../health/state/check-axis.ts';
import { DETECTORS, type Detector } from '../../../health/state/detector.ts';
import type { HealthEvent } from '../../../health/record/health-events.ts';
import { OUTLIER_EDGES } from '../../../health/state/outlier-axis.ts';
import { RESOLUTION_EDGES } from '../../../health/state/endpoint-state.ts';
import { type BenchOptions, HealthBench, PASSES, REFUSED, UNRESOLVED } from '../../support/health-bench.ts';
import { snapshot } from '../../support/snapshots.ts';
import { parseExposition, valueOf } from '../admin/exposition.ts';
import { type LogLine, SILENT_LOG } from '../../support/loggers.ts';

const TABLES = {
  admin: ADMIN_EDGES,
  check: CHECK_EDGES,
  outlier: OUTLIER_EDGES,
  resolution: RESOLUTION_EDGES,
  slowStart: { none: ['warming'], warming: ['none'] },
  share: { full: ['reduced'], reduced: ['full'] },
};
const OUTLIERS = { intervalMs: 10_000, minRequests: 100, minGap: 0.05, sigmas: 4 };
const AGENT: BenchOptions = { heartbeat: { acceptsAgentFeedback: true } };
const SLOW: BenchOptions = { heartbeat: null, slowStartMs: 10_000 };
const QUIET: BenchOptions = { heartbeat: null };
const LIMITED: BenchOptions = { heartbeat: null, passive: { maxEjectedPercent: 30 } };
const TCP: BenchOptions = { heartbeat: { kind: 'tcp' } };

/** Steps of the endpoint of slot 0; the last one makes the transition. */
type Story = readonly ((bench: HealthBench) => void)[];

/** One row: a transition, its detector, and steps that lead to it. */
type Row = readonly [edge: string, detector: Detector, options: BenchOptions, story: Story];

const wait = (ms: number) => (bench: HealthBench) => bench.clock.advance(ms);
const set = (admin: 'ready' | 'drain' | 'maintenance') => (bench: HealthBench) => {
  bench.health.setAdmin('api', '127.0.0.1:3000', admin, 'a test');
};
const words = (agentWords: string) => (bench: HealthBench) => {
  bench.checker.results.set(0, { ...PASSES, agentWords });
  bench.health.checkNow(0);
};
const resolve = (found: 'resolved' | 'unresolved') => (bench: HealthBench) => {
  const isUnresolved = found === 'unresolved';
  bench.checker.results.set(0, isUnresolved ? UNRESOLVED : PASSES);
  for (let check = 0; check < 3; check++) bench.health.checkNow(0);
};
const fails = (bench: HealthBench): void => void bench.checker.results.set(0, REFUSED);
const passes = (bench: HealthBench): void => void bench.checker.results.set(0, PASSES);
const hangs = (bench: HealthBench): void => void bench.checker.results.set(0, null);
const others = (does: (bench: HealthBench, slot: number) => void) => (bench: HealthBench) => {
  for (const slot of [1, 2]) does(bench, slot);
};
const cross = (bench: HealthBench): void => bench.cross(0, 'gateway');
const crossConnect = (bench: HealthBench): void => bench.cross(0, 'connect');
const suspect = (bench: HealthBench): void => bench.suspect(0, 'gateway');
const trial = (ok: boolean) => (bench: HealthBench) => bench.trial(0, ok);
const noHeartbeat = (bench: HealthBench): void => bench.apply({ heartbeat: null });
const down: Story = [fails, wait(4_000)];
const outlier = (bench: HealthBench): void => {
  for (const slot of [0, 1, 2]) bench.traffic(slot, 200, slot === 0 ? 200 : 0);
  bench.clock.advance(10_000);
};
const ejectAnother = (bench: HealthBench): void => bench.cross(1);
const drainOthers = others((bench, slot) =>
  bench.health.setAdmin('api', `127.0.0.1:${3000 + slot}`, 'drain', 'a test'),
);

/** State restored after a restart: the endpoint was down, or ejected for another ten seconds. */
const kept =
  (found: 'down' | 'ejected'): Story[number] =>
  (bench) => {
    const [saved] = bench.health.save().endpoints;
    const ejection = found === 'ejected' ? { until: bench.clock.wallMs() + 10_000, inRow: 1 } : null;
    bench.health.restore([{ ...saved!, check: found === 'down' ? 'down' : saved!.check, ejection }], true);
  };

const ROWS: readonly Row[] = [
  ['admin ready>drain', 'operator', {}, [set('drain')]],
  ['admin ready>drain', 'agent', AGENT, [words('drain')]],
  ['admin ready>maintenance', 'operator', {}, [set('maintenance')]],
  ['admin ready>maintenance', 'agent', AGENT, [words('maint')]],
  ['admin drain>ready', 'operator', {}, [set('drain'), set('ready')]],
  ['admin drain>ready', 'agent', AGENT, [words('drain'), words('ready')]],
  ['admin drain>maintenance', 'operator', {}, [set('drain'), set('maintenance')]],
  ['admin drain>maintenance', 'agent', AGENT, [words('drain'), words('maint')]],
  ['admin maintenance>ready', 'operator', {}, [set('maintenance'), set('ready')]],
  ['admin maintenance>ready', 'agent', AGENT, [words('maint'), words('ready')]],
  ['admin maintenance>drain', 'operator', {}, [set('maintenance'), set('drain')]],
  ['admin maintenance>drain', 'agent', AGENT, [words('maint'), words('drain')]],
  ['check unknown>up', 'heartbeat', {}, [set('maintenance'), set('ready')]],
  ['check unknown>down', 'heartbeat', {}, [set('maintenance'), fails, set('ready')]],
  ['check up>down', 'heartbeat', {}, down],
  ['check up>down', 'agent', AGENT, [words('stopped #deploy')]],
  ['check up>unknown', 'operator', {}, [set('maintenance')]],
  ['check up>unknown', 'agent', AGENT, [words('maint')]],
  ['check up>unknown', 'reload', {}, [noHeartbeat]],
  ['check up>down', 'restart', {}, [kept('down')]],
  ['check down>up', 'heartbeat', {}, [...down, passes, wait(6_000)]],
  ['check down>unknown', 'operator', {}, [...down, set('maintenance')]],
  ['check down>unknown', 'reload', {}, [...down, noHeartbeat]],
  ['outlier none>suspect', 'firstFailure', { heartbeat: { timeoutMs: 1_000 } }, [hangs, suspect]],
  ['outlier none>ejected', 'consecutiveFailures', QUIET, [cross]],
  ['outlier none>ejected', 'outlierTest', { ...QUIET, passive: { outliers: OUTLIERS } }, [outlier]],
  ['outlier none>ejected', 'restart', QUIET, [kept('ejected')]],
  ['outlier suspect>none', 'heartbeat', {}, [suspect]],
  ['outlier suspect>none', 'timer', QUIET, [suspect, wait(2_000)]],
  ['outlier suspect>none', 'operator', QUIET, [suspect, set('maintenance')]],
  ['outlier suspect>ejected', 'consecutiveFailures', QUIET, [suspect, cross]],
  ['outlier ejected>halfOpen', 'timer', QUIET, [cross, wait(12_000)]],
  ['outlier ejected>halfOpen', 'heartbeat', {}, [crossConnect]],
  ['outlier ejected>halfOpen', 'lastResort', QUIET, [cross, drainOthers]],
  ['outlier ejected>none', 'heartbeat', {}, [cross, ...down]],
  ['outlier ejected>none', 'agent', AGENT, [cross, words('down')]],
  ['outlier ejected>none', 'operator', QUIET, [cross, set('maintenance')]],
  ['outlier halfOpen>none', 'trial', QUIET, [cross, wait(12_000), trial(true)]],
  ['outlier halfOpen>none', 'heartbeat', {}, [cross, wait(25_000)]],
  ['outlier halfOpen>none', 'operator', QUIET, [cross, wait(12_000), set('maintenance')]],
  ['outlier halfOpen>ejected', 'trial', QUIET, [cross, wait(12_000), trial(false)]],
  ['outlier ejected>halfOpen', 'heartbeat', TCP, [crossConnect]],
  ['resolution resolved>unresolved', 'discovery', {}, [resolve('unresolved')]],
  ['resolution unresolved>resolved', 'discovery', {}, [resolve('unresolved'), resolve('resolved')]],
  ['slowStart none>warming', 'trial', SLOW, [cross, wait(12_000), trial(true)]],
  ['slowStart none>warming', 'operator', SLOW, [set('maintenance'), set('ready')]],
  ['slowStart none>warming', 'discovery', { slowStartMs: 10_000 }, [resolve('unresolved'), resolve('resolved')]],
  ['slowStart none>warming', 'heartbeat', { slowStartMs: 10_000 }, [...down, passes, wait(6_000)]],
  ['slowStart warming>none', 'timer', SLOW, [set('maintenance'), set('ready'), wait(10_000)]],
  ['slowStart warming>none', 'consecutiveFailures', SLOW, [set('maintenance'), set('ready'), cross]],
  [
    'slowStart warming>none',
    'reload',
    SLOW,
    [set('maintenance'), set('ready'), (bench) => bench.apply({ slowStartMs: 0 }), wait(200)],
  ],
  ['share full>reduced', 'consecutiveFailures', LIMITED, [ejectAnother, cross]],
  ['share reduced>full', 'timer', LIMITED, [ejectAnother, cross, wait(10_000)]],
  ['share reduced>full', 'operator', LIMITED, [ejectAnother, cross, set('maintenance')]],
];

function isEdge({ endpoint, axis, from, to }: HealthEvent, edge: string): boolean {
  return endpoint === 'api/127.0.0.1:3000' && `${axis} ${from}>${to}` === edge;
}

/** Changes of the endpoint by detector, from the metrics. */
async function counted(bench: HealthBench, detector: Detector): Promise<number> {
  const context: AdminContext = {
    version: '0.0.0',
    startedAt: 0,
    startedMs: 0,
    region: bench.region,
    clients: { evictions: 0 },
    clock: bench.clock,
    timers: bench.clock,
    log: SILENT_LOG,
    grpcCalls: () => [],
    traces: {
      counts: { exported: 0, lost: { queue: 0, refused: 0, worker: 0 }, failedRequests: 0 },
      queuedBytes: 0,
      exemplars: () => [],
    },
    health: bench.health,
    maintenance: { list: () => [], set: () => assert.fail('unexpected call') },
    registrar: { views: () => [] },
    splits: { list: () => [], set: () => assert.fail('unexpected call') },
    membership: {
      departureOf: () => null,
      sources: () => [],
      add: () => assert.fail('unexpected call'),
      remove: () => assert.fail('unexpected call'),
    },
    providers: { views: () => [], origins: null },
    certificates: { list: () => [], changes: { installed: 0, refused: 0 } },
    acme: { list: () => [], orders: { issued: 0, failed: 0, prevented: 0 }, renew: () => Promise.resolve(false) },
    snapshot: () => snapshot({ upstreams: [bench.upstream] }),
    workers: () => [],
    listeners: () => [],
    isDraining: () => false,
    explain: () => assert.fail('unexpected call'),
    revisions: () => [],
    lostLogLines: () => 0,
    requests: () => assert.fail('unexpected call'),
    writtenConfig: () => null,
    reload: null,
  };
  const families = parseExposition(await new Metrics(context).text(new Set(['endpoint'])));
  const labels = { upstream: 'api', endpoint: '127.0.0.1:3000', detector };
  return valueOf(families, 'fairlead_endpoint_changes_total', labels);
}

describe('a change of state', () => {
  for (const [edge, detector, options, story] of ROWS) {
    test(`${edge} by ${detector} is in the log, the recorder and the metrics, with its cause`, async () => {
      const bench = new HealthBench(options).begin();
      for (const part of story.slice(0, -1)) part(bench);
      const eventsBefore = bench.health.events.list().length;
      const linesBefore = bench.lines.length;
      const countBefore = await counted(bench, detector);
      story.at(-1)!(bench);

      const event = bench.health.events
        .list()
        .slice(eventsBefore)
        .find((one) => isEdge(one, edge));
      assert.ok(event, `not recorded among ${JSON.stringify(bench.health.events.list().slice(eventsBefore))}`);
      assert.equal(event.detector, detector);
      assert.ok(event.cause.length > 0);

      const { at: _at, ...fields } = event;
      const isLine = ({ fields: { axis, from, to } }: LogLine): boolean => {
        return axis === event.axis && from === event.from && to === event.to;
      };
      const line = bench.lines.slice(linesBefore).find(isLine);
      assert.deepEqual(line?.fields, fields);
      assert.ok(line!.text.includes(event.cause) && line!.text.includes(event.endpoint));

      assert.ok((await counted(bench, detector)) > countBefore);
      const why = bench.health.explain('api', '127.0.0.1:3000')!;
      assert.ok(why.events.some((one) => isEdge(one, edge)));
      assert.ok(
        why.changes.some(({ axis, to, detector: by }) => axis === event.axis && to === event.to && by === detector),
      );
    });
  }
});

test('every row of every table is walked, and every detector is seen at work', () => {
  const edges = Object.entries(TABLES).flatMap(([axis, table]) =>
    Object.entries(table).flatMap(([from, tos]) => tos.map((to: string) => `${axis} ${from}>${to}`)),
  );
  const walked = new Set(ROWS.map(([edge]) => edge));
  assert.deepEqual(
    edges.filter((edge) => !walked.has(edge)),
    [],
  );
  assert.deepEqual(
    [...walked].filter((edge) => !edges.includes(edge)),
    [],
  );
  const seen = new Set<string>(ROWS.map(([, detector]) => detector));
  assert.deepEqual(
    Object.keys(DETECTORS).filter((detector) => !seen.has(detector)),
    [],
  );
});

test('a weight that the operator sets is recorded in the same three places', async () => {
  const bench = new HealthBench(QUIET).begin();
  bench.health.setWeight('api', '127.0.0.1:3000', 7, 'a test');
  const { axis, from, to, detector, cause } = bench.health.events.list().at(-1)!;
  assert.deepEqual([axis, from, to, detector, cause], ['weight', '1', '7', 'operator', 'set to 7 by a test']);
  assert.equal(bench.lines.at(-1)!.fields['detector'], 'operator');
  assert.equal(await counted(bench, 'operator'), 1);
});
