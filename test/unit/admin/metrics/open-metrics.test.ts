// The scrape in OpenMetrics: its grammar, names of counters, bounds and exemplars; read by a strict parser here, and by
// Prometheus's own where promtool is installed. Thread: main.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { METRIC_SCOPES, type MetricFamily } from '../../../../admin/metrics/metric-family.ts';
import { Metrics } from '../../../../admin/metrics/metrics.ts';
import { openMetrics } from '../../../../admin/metrics/open-metrics.ts';
import { accountExchange } from '../../../../proxy/account/account.ts';
import { WorkerLanes } from '../../../../proxy/account/lane.ts';
import { upstreamSnapshot, endpointSnapshot, snapshot } from '../../../support/snapshots.ts';
import { requirePeer } from '../../../support/peers.ts';
import { phasesOf, recordOf } from '../../logging/access/sample-record.ts';
import { FakeContext } from '../fake-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const ALL = new Set(METRIC_SCOPES);
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const VALUE = String.raw`(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)`;
const LABELS = String.raw`\{(?:${NAME}="(?:[^"\\\n]|\\["\\n])*",?)*\}`;
const SAMPLE = new RegExp(`^(${NAME})(${LABELS})? (${VALUE})(?: # (${LABELS}) (${VALUE}) (\\d+\\.\\d{3}))?$`);
/** Suffixes of a type's samples. */
const SUFFIXES: Readonly<Record<string, RegExp>> = {
  counter: /^_total$/,
  gauge: /^$/,
  unknown: /^$/,
  histogram: /^_(?:bucket|sum|count)$/,
};

/** Checks each line against OpenMetrics 1.0. Returns the lines with an exemplar. */
function checkOpenMetrics(text: string): string[] {
  assert.ok(text.endsWith('\n# EOF\n'));
  const sampleNames = new Map<string, string>();
  let [family, type] = ['', ''];
  const exemplars: string[] = [];
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const described = /^# TYPE (\S+) (counter|gauge|histogram|unknown)$/.exec(line);
    if (described !== null) [family, type] = [described[1]!, described[2]!];
    else if (line.startsWith('# HELP '))
      assert.match(line, new RegExp(`^# HELP ${family} (?:[^"\\\\\\n]|\\\\["\\\\n])*$`));
    else {
      const [, name = '', labels = '', , exemplar] = SAMPLE.exec(line) ?? assert.fail(line);
      assert.ok(name.startsWith(family) && SUFFIXES[type]!.test(name.slice(family.length)), line);
      assert.equal(sampleNames.get(name) ?? family, family, `${name} is in two families`);
      sampleNames.set(name, family);
      const bound = /le="([^"]*)"/.exec(labels)?.[1];
      assert.match(bound ?? '1.0', /^(?:\d+\.\d+|\+Inf)$/, line);
      if (exemplar !== undefined) exemplars.push(line);
    }
  }
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
  assert.equal(new Set(families).size, families.length);
  for (const name of families)
    assert.equal(sampleNames.get(name) ?? name, name, `${name} is a sample of another family`);
  return exemplars;
}

/** A scrape after three requests to `api`, of which the tracer recorded two. */
async function scrape(scopes = ALL): Promise<string> {
  const context = new FakeContext();
  const lanes = new WorkerLanes(context.region, 0);
  for (const totalMs of [0.7, 30, 70_000]) accountExchange(recordOf({ phases: phasesOf({ totalMs }) }), lanes);
  context.traces.exemplars = (upstream) =>
    upstream !== 'api'
      ? []
      : [
          { upstream, traceId: '0'.repeat(32), ms: 28, atMs: 1_790_000_000_000 },
          { upstream, traceId: TRACE, ms: 30, atMs: 1_790_000_000_123 },
          { upstream, traceId: TRACE, ms: 70_000, atMs: 1_790_000_000_456 },
        ];
  return new Metrics(context).text(scopes, 'openMetrics');
}

describe('a scrape in OpenMetrics', () => {
  test('keeps the grammar in every family, and has the newest exemplar of each bucket', async () => {
    const exemplars = checkOpenMetrics(await scrape());
    assert.deepEqual(
      exemplars.map((line) => line.replace(/^[^#]*le="([^"]*)"[^#]*# /, '$1 ')),
      [`0.05 {trace_id="${TRACE}"} 0.03 1790000000.123`, `100.0 {trace_id="${TRACE}"} 70 1790000000.456`],
    );
  });

  test('has the samples of the text format, but for whole bounds', async () => {
    const context = new FakeContext();
    context.current = snapshot({
      upstreams: [upstreamSnapshot({ name: 'a "b" \\ c\nd', endpoints: [endpointSnapshot(0)] })],
    });
    const metrics = new Metrics(context);
    const scopes = new Set(['upstream', 'endpoint'] as const);
    const samplesOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const ours = await metrics.text(scopes, 'openMetrics');
    checkOpenMetrics(ours);
    const plain = samplesOf(await metrics.text(scopes));
    assert.deepEqual(
      samplesOf(ours),
      plain.map((line) => line.replace(/le="(\d+)"/, 'le="$1.0"')),
    );
  });

  test("is read by Prometheus's own parser, exemplars included", async (t) => {
    const promtool = requirePeer(t, 'promtool');
    if (promtool === undefined) return;
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-metrics-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // This command needs a time for each sample; scrapes have none.
    const timed = (await scrape()).replaceAll(new RegExp(`^([^#\\n].*? ${VALUE})( #.*)?$`, 'gm'), '$1 1790000001$2');
    const file = path.join(folder, 'scrape.txt');
    writeFileSync(file, timed);
    execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, path.join(folder, 'blocks')]);
    writeFileSync(file, timed.replace('# {trace_id=', '# {trace_id'));
    assert.throws(() =>
      execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, folder], { stdio: 'pipe' }),
    );
  });
});

test('a counter whose short name is that of a gauge keeps its name, and is of the type unknown', () => {
  const family: MetricFamily = {
    name: 'streams_total',
    help: 'Of "all" \\ kinds.',
    type: 'counter',
    scope: 'process',
    labels: [],
    collect: () => [],
  };
  const samples = [{ labels: {}, value: Number.NaN }];
  const help = 'Of \\"all\\" \\\\ kinds.';
  assert.equal(
    openMetrics(family, samples, new Set(['streams_total'])),
    `# TYPE streams counter\n# HELP streams ${help}\nstreams_total NaN`,
  );
  assert.equal(
    openMetrics(family, samples, new Set(['streams', 'streams_total'])),
    `# TYPE streams_total unknown\n# HELP streams_total ${help}\nstreams_total NaN`,
  );
});
