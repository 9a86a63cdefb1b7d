// Model of the dashboard's tables: rows, filters, orders, sums, and the effect of a change. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filterRows, rowsOf, sortRows, sortUpstreams, summaryOf } from '../../../../../admin/dashboard/data/rows.ts';
import { consequenceOf } from '../../../../../admin/dashboard/data/consequence.ts';
import { samplesOf } from '../../../../../admin/dashboard/data/samples.ts';
import { STATES, tallyText } from '../../../../../admin/dashboard/data/states.ts';
import type { LiveReply } from '../../../../../admin/api/reply-schemas.ts';
import { AVAILABILITY } from '../../../../../core/availability.ts';

type LiveUpstream = LiveReply['upstreams'][number];
type LiveEndpoint = LiveUpstream['endpoints'][number];

function endpoint(name: string, parts: Partial<LiveEndpoint> = {}): LiveEndpoint {
  const figures = { requestsPerSecond: 1, errorShare: 0, p50Ms: 2, p99Ms: 3 };
  const weight = { weight: 1, configuredWeight: 1, weightShare: 1 };
  const since = '2026-01-01T00:00:00.000Z';
  const totals = {
    bytesSent: 0,
    bytesReceived: 0,
    retries: 0,
    ejections: 0,
    downtimeSeconds: 0,
    zone: '',
    source: 'config',
    origin: 'configured',
  };
  const load = { inFlight: 0, queued: 0, backup: false, connections: 0, http2Connections: 0, streams: 0 };
  return {
    name,
    availability: 'up',
    operator: 'ready',
    ...weight,
    ...load,
    ...totals,
    ...figures,
    since,
    cause: 'added',
    ...parts,
  };
}

function upstream(name: string, endpoints: LiveEndpoint[], parts: Partial<LiveUpstream> = {}): LiveUpstream {
  const figures = { requestsPerSecond: 4, errorShare: 0.25, p50Ms: 2, p99Ms: 3 };
  return {
    name,
    balance: 'random',
    protocol: 'http1',
    inFlight: 0,
    queued: 1,
    ...figures,
    sources: [],
    endpoints,
    ...parts,
  };
}

const LIVE: LiveReply = {
  at: '2026-01-01T00:00:10.000Z',
  generation: 1,
  ready: true,
  notReadyBecause: [],
  uptimeSeconds: 10,
  exchanges: 0,
  connections: 0,
  requestsPerSecond: 40,
  errorShare: 0,
  generations: [],
  workers: [],
  listeners: [],
  maintenance: [],
  providers: [],
  registrations: [],
  upstreams: [
    upstream('api', [endpoint('a:2'), endpoint('a:10', { availability: 'drain', operator: 'drain', weight: 7 })]),
    upstream('web', [
      endpoint('w:1', { availability: 'down', cause: 'Connection refused', p99Ms: null, requestsPerSecond: 0 }),
      endpoint('w:2', { p99Ms: 50, inFlight: 4 }),
    ]),
    upstream('idle', [], { requestsPerSecond: null }),
  ],
};
const ROWS = rowsOf(LIVE);
const keys = (rows: readonly { key: string }[]): string[] => rows.map(({ key }) => key);

test('every state of the balancer has its own label, sign and rank', () => {
  assert.deepEqual(Object.keys(STATES).toSorted(), Object.keys(AVAILABILITY).toSorted());
  for (const part of ['label', 'sign', 'rank'] as const)
    assert.equal(new Set(Object.values(STATES).map((look) => look[part])).size, Object.keys(STATES).length, part);
});

describe('rows', () => {
  const all = { text: '', state: '', upstream: '' } as const;

  test('are found by words of name, state and cause, by state, and by upstream', () => {
    assert.deepEqual(keys(filterRows(ROWS, all)), ['api/a:2', 'api/a:10', 'web/w:1', 'web/w:2']);
    assert.deepEqual(keys(filterRows(ROWS, { ...all, text: ' REFUSED web ' })), ['web/w:1']);
    assert.deepEqual(keys(filterRows(ROWS, { ...all, text: 'draining' })), ['api/a:10']);
    assert.deepEqual(keys(filterRows(ROWS, { ...all, state: 'problem' })), ['web/w:1']);
    assert.deepEqual(keys(filterRows(ROWS, { ...all, state: 'up', upstream: 'web' })), ['web/w:2']);
  });

  test('are sorted with problems first, then by name with its numbers as numbers', () => {
    const order = { column: 'state', isDescending: false } as const;
    assert.deepEqual(keys(sortRows(ROWS, order)), ['web/w:1', 'api/a:10', 'api/a:2', 'web/w:2']);
    assert.deepEqual(keys(sortRows(ROWS, { column: 'name', isDescending: true })), [
      'web/w:2',
      'web/w:1',
      'api/a:10',
      'api/a:2',
    ]);
  });

  test('of which a figure is not known come last either way', () => {
    const by = (isDescending: boolean) => keys(sortRows(ROWS, { column: 'p99', isDescending }));
    assert.deepEqual(by(true), ['web/w:2', 'api/a:2', 'api/a:10', 'web/w:1']);
    assert.deepEqual(by(false), ['api/a:2', 'api/a:10', 'web/w:2', 'web/w:1']);
  });
});

test('upstreams with the most serious endpoint come first; their tally names states', () => {
  assert.deepEqual(
    sortUpstreams(LIVE.upstreams).map(({ name }) => name),
    ['web', 'api', 'idle'],
  );
  assert.equal(tallyText(LIVE.upstreams[1]!.endpoints), '1 down, 1 up');
});

test('sums are over all upstreams, the rate over all listeners; what an operator has set is no problem', () => {
  assert.deepEqual(summaryOf(LIVE), { requestsPerSecond: 40, queued: 3, endpoints: 4, problems: 1, setAside: 1 });
});

test('samples are of endpoints; errors are per second', () => {
  const samples = samplesOf(LIVE);
  assert.deepEqual(
    [samples.get('web/w:2 rate'), samples.get('web/w:2 errors'), samples.get('web rate')],
    [1, 0, undefined],
  );
  assert.deepEqual([samples.get('web/w:2 p99'), samples.get('web/w:1 p99')], [50, null]);
});

describe('what a change would do', () => {
  const [, drained, down, last] = ROWS;

  test('is grave where nothing that is up would be left', () => {
    for (const admin of ['drain', 'maintenance'] as const) {
      const { text, isGrave } = consequenceOf(LIVE, last!, { admin });
      assert.ok(isGrave);
      assert.match(
        text,
        /The 4 requests in flight may finish. No other endpoint of web is up: expect requests to fail/,
      );
    }
    assert.deepEqual(consequenceOf(LIVE, down!, { admin: 'maintenance' }), {
      text: 'It receives no requests and no heartbeats. 1 other endpoint of web is up.',
      isGrave: false,
    });
    assert.equal(consequenceOf(LIVE, drained!, { admin: 'ready' }).isGrave, false);
  });

  test('to a weight says both weights, and until when it holds', () => {
    const until = 'until the configured weight (1) changes';
    assert.equal(consequenceOf(LIVE, drained!, { weight: 9 }).text, `Weight 7 becomes 9, ${until}.`);
    assert.equal(consequenceOf(LIVE, drained!, { weight: 7 }).text, 'Its weight is 7 already.');
    assert.equal(consequenceOf(LIVE, drained!, { weight: null }).text, 'Weight 7 becomes 1, as configured.');
  });
});
