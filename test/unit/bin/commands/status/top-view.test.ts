// Output of `status` and `top`, and the keys of `top`. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveReply } from '../../../../../admin/api/reply-schemas.ts';
import { ageWords, statusLines } from '../../../../../bin/commands/status/status-text.ts';
import { firstView, frameOf, keyOf, stepView } from '../../../../../bin/commands/status/top-view.ts';

const AT = Date.UTC(2026, 0, 1, 12);
const PLAIN = { width: 200, hasColor: false, isTroubleOnly: false };

function liveOf(count: number, first: Partial<LiveReply['upstreams'][number]['endpoints'][number]> = {}): LiveReply {
  const figures = { requestsPerSecond: 12.34, errorShare: 0.015, p50Ms: 1.23, p99Ms: 2345 };
  const endpoint = (index: number) => ({
    name: `10.0.0.${index}:80`,
    availability: 'up' as const,
    operator: 'ready' as const,
    weight: 1,
    configuredWeight: 1,
    weightShare: 1,
    backup: false,
    inFlight: index,
    queued: 0,
    connections: 3,
    http2Connections: 0,
    streams: 0,
    ...figures,
    since: new Date(AT - 65_000).toISOString(),
    cause: 'the first heartbeat succeeded',
  });
  const endpoints = Array.from({ length: count }, (_, index) => ({
    ...endpoint(index),
    ...(index === 0 ? first : {}),
  }));
  return {
    at: new Date(AT).toISOString(),
    generation: 3,
    ready: true,
    notReadyBecause: [],
    uptimeSeconds: 90_000,
    exchanges: 7,
    connections: 9,
    requestsPerSecond: 40,
    errorShare: 0,
    generations: [],
    workers: [],
    listeners: [],
    maintenance: [],
    upstreams: [
      { name: 'api', balance: 'least-request', protocol: 'http1', inFlight: 7, queued: 0, ...figures, endpoints },
    ],
  };
}

describe('protocols', () => {
  const rowOf = (first: Parameters<typeof liveOf>[1]) => statusLines(liveOf(1, first), PLAIN)[5]!;

  test('are those of the open connections of each endpoint', () => {
    assert.match(rowOf({ connections: 4, http2Connections: 0, streams: 0 }), / 1 +http1 +4 +- +0 /);
    assert.match(rowOf({ connections: 2, http2Connections: 2, streams: 37 }), / 1 +http2 +2 +37 +0 /);
    assert.match(rowOf({ connections: 3, http2Connections: 2, streams: 5 }), / 1 +mixed +3 +5 +0 /);
    assert.match(rowOf({ connections: 0, http2Connections: 0, streams: 0 }), / 1 +0 +- +0 /);
  });

  test('are summed for an upstream and for the listeners', () => {
    const live = liveOf(2, { connections: 2, http2Connections: 2, streams: 37 });
    const [upstream] = live.upstreams;
    const listener = { name: 'web', address: null, tls: true, connections: 5, http2Connections: 3, streams: 40 };
    const counts = { connectionsAccepted: 9, connectionsRefused: 0, requests: 9, badRequests: 0 };
    const lines = statusLines(
      { ...live, listeners: [{ ...listener, ...counts }], upstreams: [{ ...upstream!, protocol: 'http2' }] },
      PLAIN,
    );
    assert.match(lines[1]!, /9 connections \(3 over HTTP\/2 with 40 streams\); /);
    assert.match(lines[4]!, /2\/2 up +http2 +5 +37 +7 /);
  });

  test('are blank for a Fairlead of an earlier version', () => {
    const live = liveOf(1);
    const { connections: _, http2Connections: __, streams: ___, ...endpoint } = live.upstreams[0]!.endpoints[0]!;
    const { protocol: ____, ...upstream } = live.upstreams[0]!;
    const earlier = { ...live, upstreams: [{ ...upstream, endpoints: [endpoint] }] };
    const lines = statusLines(earlier as unknown as LiveReply, PLAIN);
    assert.match(lines[4]!, /1\/1 up +7 +0 /);
    assert.match(lines[5]!, /up +1min 5s +1 +0 +0 /);
  });
});

describe('the table', () => {
  test('has a line for each upstream and endpoint; causes only of what is not up', () => {
    const lines = statusLines(liveOf(2, { availability: 'down', cause: 'connection refused' }), PLAIN);
    assert.equal(lines[0], 'Fairlead: ready');
    assert.equal(lines[1], '7 requests in progress, 9 connections; revision 3, 0 of 0 workers, up 1d 1h');
    assert.match(lines[4]!, /^api \(least-request\) +1\/2 up +http1 +6 +- +7 +0 +12 +1\.5 % +1\.2 ms +2\.3 s$/);
    assert.match(lines[5]!, /^ {2}10\.0\.0\.0:80 +down +1min 5s +1 .* connection refused$/);
    assert.match(lines[6]!, /^ {2}10\.0\.0\.1:80 +up .* 2\.3 s$/);
  });

  test("shows another weight than the file's, and a share of it", () => {
    const [, , , , , line] = statusLines(liveOf(1, { weight: 4, weightShare: 0.25 }), PLAIN);
    assert.match(line!, / 4\* x 25 % /);
  });

  test('says first that the process is not ready, and why', () => {
    const live = { ...liveOf(1), ready: false, notReadyBecause: ['no worker listens'] };
    assert.equal(statusLines(live, PLAIN)[0], 'Fairlead: NOT READY: no worker listens');
  });

  test('names what is in maintenance, and takes the reply of an earlier version', () => {
    const since = new Date(AT).toISOString();
    const maintenance = [{ of: 'route', name: 'shop\u0007', retryAfterSeconds: 60, since, by: 'a test' } as const];
    assert.equal(statusLines({ ...liveOf(1), maintenance }, PLAIN)[2], 'in maintenance: route shop?');
    const { maintenance: _, ...earlier } = liveOf(1);
    assert.equal(statusLines(earlier as LiveReply, PLAIN)[2], '');
  });

  test('is cut to the width, colours not counted', () => {
    const lines = statusLines(liveOf(3, { availability: 'ejected' }), { ...PLAIN, width: 30, hasColor: true });
    // oxlint-disable-next-line no-control-regex
    for (const line of lines) assert.ok(line.replaceAll(/\u001b\[\d+m/g, '').length <= 30, line);
    assert.ok(lines.some((line) => line.startsWith('\u001b[31m  10.0.0.0:80')));
  });

  test('lets no byte of an endpoint steer the terminal', () => {
    const lines = statusLines(liveOf(1, { availability: 'down', cause: 'it said \u001b[2J\u0007' }), PLAIN);
    assert.match(lines[5]!, /it said \?\[2J\?$/);
  });
});

describe('keys', () => {
  test('are found in what a terminal sends', () => {
    assert.deepEqual(keyOf('j\u001b[A\u001b[6~xq\u0003'), ['down', 'up', 'pageDown', 'leave', 'leave']);
  });

  test('move the table, not beyond its ends', () => {
    const size = { width: 100, height: 10, hasColor: false };
    const live = liveOf(30);
    let { view } = frameOf(live, stepView(firstView, 'up'), size);
    assert.equal(view.offset, 0);
    for (let i = 0; i < 9; i++) ({ view } = frameOf(live, stepView(view, 'pageDown'), size));
    const frame = frameOf(live, view, size);
    assert.equal(frame.lines.length, 10);
    assert.match(frame.lines.at(-2)!, /10\.0\.0\.29:80/);
    assert.match(frame.lines.at(-1)!, /^26 more rows/);
    assert.match(frame.lines[3]!, /^ENDPOINT/);
    assert.equal(stepView(view, 'first').offset, 0);
  });

  test('t leaves only what is not up', () => {
    const size = { width: 100, height: 40, hasColor: false };
    const { lines } = frameOf(liveOf(5, { availability: 'suspect' }), stepView(firstView, 'trouble'), size);
    assert.equal(lines.filter((line) => line.startsWith('  10.')).length, 1);
    assert.deepEqual(frameOf(liveOf(5), stepView(firstView, 'trouble'), size).lines.slice(3), [
      'everything is up',
      't: all  q: quit',
    ]);
  });
});

test('ages have their two largest units', () => {
  assert.deepEqual([0, 59, 61, 3600, 90_061, -5].map(ageWords), ['0s', '59s', '1min 1s', '1h', '1d 1h', '0s']);
});
