// Our writer of the text format against prom-client's: the same bytes. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { exposition } from '../../../../admin/metrics/exposition.ts';
import { METRIC_SCOPES, type MetricFamily, type MetricSample } from '../../../../admin/metrics/metric-family.ts';
import { Metrics } from '../../../../admin/metrics/metrics.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';
import { FakeContext } from '../fake-context.ts';

describe('the text of a scrape', () => {
  test("is that of prom-client's registry, but for what moves by itself", async () => {
    const context = new FakeContext();
    for (let i = 0; i < 500; i++) context.region.doubles[context.region.endpointLane(0, 1) + (i % 70)]! += i * 1.5;
    context.current = snapshot({
      upstreams: [
        upstreamSnapshot({ name: 'a "quoted" \\ name', endpoints: [endpointSnapshot(0), endpointSnapshot(1)] }),
        upstreamSnapshot({ name: 'two\nlines', index: 1, endpoints: [endpointSnapshot(2)] }),
      ],
    });
    const metrics = new Metrics(context);
    const ours = await metrics.text(new Set(METRIC_SCOPES));
    const theirs = await metrics.registry.metrics();
    const withoutMoving = (text: string): string[] =>
      text.split('\n').filter((line) => !/^fairlead_(?:process_|main_)/.test(line));
    assert.deepEqual(withoutMoving(ours), withoutMoving(theirs));
    assert.ok(ours.includes('upstream="a \\"quoted\\" \\\\ name"') && ours.includes('upstream="two\\nlines"'));
  });

  const values = [0, -0, 1, -1.5, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, Number.NaN, Infinity, -Infinity];
  for (const value of values) {
    test(`has the number ${value} as prom-client has it, with and without labels`, async () => {
      const samples: MetricSample[] = [
        { labels: {}, value },
        { labels: { le: 0.1, kind: 'x' }, value, metricName: 'other' },
        { labels: {}, sharedLabels: { a: '1' }, value },
        { labels: { b: 2 }, sharedLabels: { a: '1' }, value },
      ];
      const family: MetricFamily = {
        name: 'some',
        help: 'Of "two"\nlines \\ and more.',
        type: 'gauge',
        scope: 'process',
        labels: [],
        collect: () => samples,
      };
      const registry = new Registry();
      const { name, help, type } = family;
      const get = () => Promise.resolve({ name, help, type, values: samples });
      registry.registerMetric({ name, help, get } as never);
      assert.equal(exposition(family, samples), await registry.getSingleMetricAsString('some'));
    });
  }
});
