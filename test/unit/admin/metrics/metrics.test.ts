// The exposition, parsed and compared with what was counted; and its documentation. Thread: both.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import {
  ENDPOINT_FIELDS,
  LISTENER_FIELDS,
  POLICY_FIELDS,
  UPSTREAM_FIELDS,
} from '../../../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, WORKER } from '../../../../core/memory/layout.ts';
import { METRIC_SCOPES, type MetricScope } from '../../../../admin/metrics/metric-family.ts';
import { Metrics } from '../../../../admin/metrics/metrics.ts';
import { DETECTORS } from '../../../../health/state/detector.ts';
import { accountExchange, countAttempt, countHead } from '../../../../proxy/account/account.ts';
import {
  clearLevels,
  EndpointLane,
  ListenerLane,
  PolicyLane,
  UpstreamLane,
  WorkerLanes,
} from '../../../../proxy/account/lane.ts';
import { upstreamSnapshot } from '../../../support/snapshots.ts';
import { recordOf, connectionOf } from '../../logging/access/sample-record.ts';
import { type ExposedFamily, parseExposition, valueOf } from '../exposition.ts';
import { FakeContext, STARTED_AT } from '../fake-context.ts';

const ALL: ReadonlySet<MetricScope> = new Set(METRIC_SCOPES);

async function scrape(context: FakeContext, scopes = ALL): Promise<Map<string, ExposedFamily>> {
  return parseExposition(await new Metrics(context).text(scopes));
}

describe('metrics', () => {
  test('sum what all workers have counted', async () => {
    const context = new FakeContext();
    for (const worker of [0, 1, 2]) {
      const lanes = new WorkerLanes(context.region, worker);
      const connection = connectionOf({ listenerIndex: 1 });
      accountExchange(recordOf({ connection, bytesSent: 10, attempts: 2 }), lanes);
      accountExchange(recordOf({ connection, bytesSent: 10, status: 503, termination: 'clientGoneData' }), lanes);
      countAttempt(lanes.endpoint(1), worker === 2);
      countHead(lanes.endpoint(1), 404, 20);
    }
    const families = await scrape(context);
    const api = { upstream: 'api' };
    assert.equal(valueOf(families, 'fairlead_upstream_requests_total', api), 6);
    assert.equal(valueOf(families, 'fairlead_upstream_responses_total', { ...api, class: '2xx' }), 3);
    assert.equal(valueOf(families, 'fairlead_upstream_responses_total', { ...api, class: '5xx' }), 3);
    assert.equal(valueOf(families, 'fairlead_upstream_retries_total', api), 3);
    assert.equal(valueOf(families, 'fairlead_upstream_client_aborts_total', api), 3);
    assert.equal(valueOf(families, 'fairlead_upstream_requests_total', { upstream: 'web' }), 0);
    assert.equal(valueOf(families, 'fairlead_listener_requests_total', { listener: 'web' }), 6);
    assert.equal(valueOf(families, 'fairlead_listener_sent_bytes_total', { listener: 'web' }), 60);
    const endpoint = { ...api, endpoint: '127.0.0.1:3001' };
    assert.equal(valueOf(families, 'fairlead_endpoint_attempts_total', endpoint), 3);
    assert.equal(valueOf(families, 'fairlead_endpoint_retries_total', endpoint), 1);
    assert.equal(valueOf(families, 'fairlead_endpoint_responses_total', { ...endpoint, class: '4xx' }), 3);
  });

  test('show what is in maintenance', async () => {
    const context = new FakeContext();
    const samples = async () => {
      const family = (await scrape(context)).get('fairlead_maintenance')!;
      return family.samples.map(({ labels, value }) => `${labels['of']} ${labels['name']} ${value}`);
    };
    assert.deepEqual(await samples(), ['upstream api 0', 'upstream web 0']);
    for (const kind of ['route', 'upstream'] as const) {
      await context.maintenance.set({ of: kind, name: 'api', isOn: true, retryAfterS: 60 }, 'a test');
    }
    assert.deepEqual(await samples(), ['upstream api 1', 'upstream web 0', 'route api 1']);
    await context.maintenance.set({ of: 'upstream', name: 'api', isOn: false, retryAfterS: 60 }, 'a test');
    assert.deepEqual(await samples(), ['upstream api 0', 'upstream web 0', 'route api 1']);
  });

  test('show the weights of splits in effect', async () => {
    const context = new FakeContext();
    const labels = { route: 'trial', upstream: 'api' };
    assert.equal(valueOf(await scrape(context), 'fairlead_split_weight', labels), 95);
    await context.splits.set({ ...labels, weight: 7 });
    assert.equal(valueOf(await scrape(context), 'fairlead_split_weight', labels), 7);
  });

  test('expose every field of every lane', async () => {
    const context = new FakeContext();
    const lanes: [EndpointLane | UpstreamLane | ListenerLane | PolicyLane, readonly string[]][] = [
      [new EndpointLane(context.region, 1, 0), ENDPOINT_FIELDS],
      [new UpstreamLane(context.region, 1, 0), UPSTREAM_FIELDS],
      [new ListenerLane(context.region, 1, 1), LISTENER_FIELDS],
      [new PolicyLane(context.region, 1, 0), POLICY_FIELDS],
    ];
    const expected: number[] = [];
    for (const [lane, fields] of lanes) {
      for (const [index, field] of fields.entries()) {
        const value = 1000 + expected.length;
        lane.add(index, value);
        expected.push(field === 'latencySumMs' || field === 'callMs' ? value / 1000 : value);
      }
    }
    const values = [...(await scrape(context)).values()].flatMap(({ samples }) => samples.map(({ value }) => value));
    assert.deepEqual(
      expected.filter((value) => !values.includes(value)),
      [],
    );
  });

  test('give histograms that add up, in seconds', async () => {
    const context = new FakeContext();
    for (const worker of [0, 1]) {
      const lane = new UpstreamLane(context.region, worker, 2);
      for (const ms of [0.05, 1, 1.2, 40, 200_000]) lane.observeLatency(ms);
    }
    // The upstream serves TCP sessions.
    const name = 'fairlead_upstream_session_duration_seconds';
    const families = await scrape(context);
    const web = { upstream: 'web' };
    const buckets = families
      .get(name)!
      .samples.filter((s) => s.name === `${name}_bucket` && s.labels['upstream'] === 'web');
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    const at = (le: string) => valueOf(families, `${name}_bucket`, { ...web, le });
    assert.deepEqual(['0.0001', '0.001', '0.0025', '0.05', '100', '+Inf'].map(at), [2, 4, 6, 8, 8, 10]);
    assert.equal(valueOf(families, `${name}_count`, web), 10);
    assert.equal(valueOf(families, `${name}_sum`, web), 400.0845);
  });

  test('read levels and limits from the shared records', async () => {
    const context = new FakeContext();
    const { region } = context;
    region.words[region.endpointWord(0) + ENDPOINT.inflight.index] = 4;
    region.words[region.endpointWord(1) + ENDPOINT.inflight.index] = 5;
    region.words[region.endpointWord(1) + ENDPOINT.limit.index] = 200;
    region.words[region.upstreamWord(0) + UPSTREAM.queued.index] = 6;
    region.words[region.upstreamWord(2) + UPSTREAM.allDown.index] = 1;
    region.words[region.workerWord(1) + WORKER.acknowledged.index] = 7;
    const families = await scrape(context);
    const second = { upstream: 'api', endpoint: '127.0.0.1:3001' };
    assert.equal(valueOf(families, 'fairlead_endpoint_in_flight', second), 5);
    assert.equal(valueOf(families, 'fairlead_endpoint_in_flight_limit', second), 200);
    assert.equal(valueOf(families, 'fairlead_upstream_in_flight', { upstream: 'api' }), 9);
    assert.equal(valueOf(families, 'fairlead_upstream_queue_length', { upstream: 'api' }), 6);
    assert.equal(valueOf(families, 'fairlead_upstream_all_down', { upstream: 'web' }), 1);
    assert.equal(valueOf(families, 'fairlead_worker_config_generation', { worker: '1' }), 7);
  });

  test('say what health knows, and leave out endpoints that it does not know', async () => {
    const context = new FakeContext();
    const { counters } = context.health.views.get(1)!;
    const happened = { ...counters, transitions: 4, ejections: 2, suspicions: 3, checks: 9, checksFailed: 5 };
    const more = { ejectionsRefused: 6, slowStarts: 7 };
    context.health.change(1, {
      availability: 'ejected',
      counters: { ...happened, ...more },
      share: 0.25,
      warming: { percent: 25, until: STARTED_AT },
      limit: { inFlight: 33, adaptive: { baselineMs: 7, p50Ms: 11 } },
      changes: [
        { axis: 'check', to: 'up', detector: 'heartbeat', count: 3 },
        { axis: 'check', to: 'down', detector: 'heartbeat', count: 2 },
        { axis: 'outlier', to: 'ejected', detector: 'outlierTest', count: 1 },
      ],
      since: STARTED_AT + 500,
      downtimeSeconds: 8,
    });
    context.health.change(0, { availability: 'suspect' });
    context.health.views.delete(2);
    const families = await scrape(context);
    const of = (name: string, endpoint: string) =>
      valueOf(families, `fairlead_endpoint_${name}`, { upstream: 'api', endpoint: `127.0.0.1:${endpoint}` });
    assert.deepEqual([of('up', '3000'), of('up', '3001')], [1, 0]);
    assert.deepEqual([of('availability', '3000'), of('availability', '3001')], [1, 3]);
    assert.deepEqual([of('weight', '3000'), of('weight', '3001')], [1, 3]);
    const names = ['transitions_total', 'ejections_total', 'suspicions_total', 'checks_total', 'checks_failed_total'];
    assert.deepEqual(
      names.map((name) => of(name, '3001')),
      [4, 2, 3, 9, 5],
    );
    assert.deepEqual([of('ejections_refused_total', '3001'), of('slow_starts_total', '3001')], [6, 7]);
    assert.deepEqual([of('weight_share', '3000'), of('weight_share', '3001')], [1, 0.25]);
    assert.deepEqual([of('warming', '3000'), of('warming', '3001')], [0, 1]);
    assert.equal(of('latency_baseline_seconds', '3001'), 0.007);
    assert.equal(families.get('fairlead_endpoint_latency_baseline_seconds')!.samples.length, 1, 'adaptive ones only');
    const changes = (detector: string): number =>
      valueOf(families, 'fairlead_endpoint_changes_total', { upstream: 'api', endpoint: '127.0.0.1:3001', detector });
    assert.deepEqual(['heartbeat', 'outlierTest', 'timer'].map(changes), [5, 1, 0]);
    assert.equal(of('downtime_seconds_total', '3001'), 8);
    assert.equal(of('availability_since_timestamp_seconds', '3001'), STARTED_AT / 1000 + 0.5);
    assert.equal(families.get('fairlead_endpoint_up')!.samples.length, 2);
    assert.equal(families.get('fairlead_endpoint_in_flight')!.samples.length, 3);
    const endpoints = (availability: string) =>
      valueOf(families, 'fairlead_upstream_endpoints', { upstream: 'api', availability });
    assert.deepEqual(['up', 'suspect', 'ejected', 'down'].map(endpoints), [0, 1, 1, 0]);
  });

  test('count what endpoints say of themselves, for those that do', async () => {
    const families = await scrape(new FakeContext());
    const name = 'fairlead_endpoint_agent_words_total';
    assert.equal(valueOf(families, name, { upstream: 'web', endpoint: '127.0.0.1:3002', word: 'weight' }), 2);
    assert.ok(families.get(name)!.samples.every(({ labels }) => labels['upstream'] === 'web'));
  });

  test('say what runs and whether it may be sent traffic', async () => {
    const context = new FakeContext();
    context.workerStates.push({ worker: 2, state: 'exited', restarts: 5 });
    const families = await scrape(context);
    const labels = { version: '1.2.3', node: process.versions.node };
    assert.equal(valueOf(families, 'fairlead_build_info', labels), 1);
    assert.equal(valueOf(families, 'fairlead_start_time_seconds'), STARTED_AT / 1000);
    assert.equal(valueOf(families, 'fairlead_config_generation'), 7);
    assert.equal(valueOf(families, 'fairlead_ready'), 1);
    assert.equal(valueOf(families, 'fairlead_workers', { state: 'listening' }), 2);
    assert.equal(valueOf(families, 'fairlead_workers', { state: 'exited' }), 1);
    assert.equal(valueOf(families, 'fairlead_worker_restarts_total', { worker: '2' }), 5);
    assert.ok(valueOf(families, 'fairlead_process_resident_memory_bytes') > 10_000_000);
    context.draining = true;
    assert.equal(valueOf(await scrape(context), 'fairlead_ready'), 0);
  });

  test('never step back when a worker starts again; levels do', async () => {
    const context = new FakeContext();
    for (const worker of [0, 1]) {
      for (const [index] of ENDPOINT_FIELDS.entries()) new EndpointLane(context.region, worker, 0).add(index, 5);
      for (const [index] of LISTENER_FIELDS.entries()) new ListenerLane(context.region, worker, 1).add(index, 5);
    }
    const before = await scrape(context, new Set(['endpoint', 'listener']));
    clearLevels(context.region, 1);
    const after = await scrape(context, new Set(['endpoint', 'listener']));
    const stepped = [...before].flatMap(([name, { samples }]) =>
      samples.some(({ value }, i) => after.get(name)!.samples[i]!.value < value) ? [name] : [],
    );
    const levels = ['connections', 'http2_connections', 'http2_streams'];
    const names = ['listener', 'endpoint'].flatMap((of) => levels.map((level) => `fairlead_${of}_${level}`));
    assert.deepEqual(stepped, names);
  });

  test('keep names from the configuration apart from the format', async () => {
    const context = new FakeContext();
    const name = 'a"b\\c\nd{e="f"} 1';
    context.current = { ...context.current, upstreams: [upstreamSnapshot({ name })] };
    assert.equal(valueOf(await scrape(context), 'fairlead_upstream_requests_total', { upstream: name }), 0);
  });

  test('can be asked for by scope', async () => {
    const names = [...(await scrape(new FakeContext(), new Set(['listener']))).keys()];
    assert.ok(names.length > 5);
    assert.deepEqual(
      names.filter((name) => !name.startsWith('fairlead_listener_')),
      [],
    );
  });
});

describe('the names of metrics', () => {
  const metrics = new Metrics(new FakeContext());

  test('follow the conventions', () => {
    for (const { name, type, help } of metrics.families) {
      assert.match(name, /^fairlead_[a-z0-9_]+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, /_(?:ms|milliseconds|kb|count)(?:_|$)/);
      assert.match(help, /\.$/);
    }
  });

  test('come with the labels that they declare, in a fresh process too', async () => {
    const families = parseExposition(await metrics.text(ALL));
    assert.deepEqual(
      [...families.keys()],
      metrics.families.map(({ name }) => name),
    );
    for (const { name, type, labels, help } of metrics.families) {
      const exposed = families.get(name)!;
      assert.deepEqual([exposed.type, exposed.help], [type, help]);
      const used = new Set(exposed.samples.flatMap((sample) => Object.keys(sample.labels)));
      assert.deepEqual([...used].toSorted(), labels.toSorted(), name);
    }
  });

  test('are spelt right wherever docs/metrics.md mentions them', () => {
    const page = fs.readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const known = metrics.families.map(({ name }) => name);
    const mentioned = [...page.matchAll(/`(fairlead_[a-z0-9_]+[a-z])/g)].map(([, name]) => name!);
    assert.deepEqual(
      mentioned.filter((name) => !known.includes(name)),
      [],
    );
  });

  test('have each detector in docs/metrics.md, as the code explains it', () => {
    const page = fs.readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = Object.entries(DETECTORS).map(([detector, means]) => `| ${detector} | ${means} |`);
    assert.ok(page.includes(['| detector | what it is |', '|---|---|', ...rows, ''].join('\n')));
  });

  for (const scope of METRIC_SCOPES) {
    test(`of the scope ${scope} stand in docs/metrics.md as they are`, () => {
      const page = fs.readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
      const section = page.split(/^## /m).find((part) => part.startsWith(`Scope \`${scope}\``)) ?? '';
      const rows = metrics.families
        .filter((family) => family.scope === scope)
        .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
      assert.deepEqual(
        section.split('\n').filter((line) => line.startsWith('| `')),
        rows,
        `the table must be:\n${rows.join('\n')}`,
      );
    });
  }
});
