// Output of `status` and `top`, and the keys of `top`. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveReply } from '../../../../../admin/api/reply-schemas.ts';
import {
  ageWords,
  statusLines as linesOf,
  type StatusTextOptions,
} from '../../../../../bin/commands/status/status-text.ts';
import { bytes } from '../../../../../bin/commands/status/requests-text.ts';
import { shorten } from '../../../../../bin/commands/status/status-table.ts';
import { keysOf } from '../../../../../bin/commands/status/top-keys.ts';
import { firstView, frameOf, stepView, type TopView } from '../../../../../bin/commands/status/top-view.ts';
import type { RequestsReply } from '../../../../../admin/api/request-schemas.ts';

const AT = Date.UTC(2026, 0, 1, 12);
const PLAIN = { width: 200, hasColor: false, isTroubleOnly: false };

const NOTHING = { generations: [], workers: [], listeners: [], maintenance: [], providers: [], registrations: [] };

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
    bytesSent: 0,
    bytesReceived: 0,
    retries: 0,
    ejections: 0,
    downtimeSeconds: 0,
    zone: '',
    source: 'config',
    origin: 'configured',
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
    ...NOTHING,
    upstreams: [
      {
        name: 'api',
        balance: 'least-request',
        protocol: 'http1',
        inFlight: 7,
        queued: 0,
        ...figures,
        sources: [],
        endpoints,
      },
    ],
  };
}

/** All lines as `status` prints them. */
function statusLines(live: LiveReply, options: StatusTextOptions): string[] {
  const { head, body } = linesOf(live, options);
  return [...head, ...body.map(({ text, paint }) => paint(text))];
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

  test('has a line above for each provider', () => {
    const kubernetes = {
      name: 'kubernetes',
      state: 'stale' as const,
      ageSeconds: 65,
      cause: 'refused',
      accepted: 2,
      refused: 1,
    };
    const lines = statusLines({ ...liveOf(1), providers: [kubernetes] }, PLAIN);
    assert.equal(lines[3], 'provider kubernetes: stale, 2 objects, 1 refused, confirmed 1min 5s ago: refused');
    assert.match(lines[4]!, /^ENDPOINT/);
  });

  test('has a line above for each registration', () => {
    const edge = { id: 'edge-1', service: 'edge', subject: 'Consul http://127.0.0.1:8500', address: '', port: 80 };
    const current = { ...edge, state: 'current', ageSeconds: 5, cause: '' } as const;
    const pending = { ...edge, state: 'pending', ageSeconds: null, cause: 'connection refused' } as const;
    const lines = statusLines({ ...liveOf(1), registrations: [current, pending] }, { ...PLAIN, width: 200 });
    assert.deepEqual(lines.slice(3, 5), [
      'registration edge-1 of service edge at Consul http://127.0.0.1:8500: current, confirmed 5s ago',
      'registration edge-1 of service edge at Consul http://127.0.0.1:8500: pending: connection refused',
    ]);
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
    const lines = statusLines(liveOf(3, { availability: 'ejected' }), { ...PLAIN, width: 42, hasColor: true });
    // oxlint-disable-next-line no-control-regex
    for (const line of lines) assert.ok(line.replaceAll(/\u001b\[\d+m/g, '').length <= 42, line);
    assert.ok(lines.some((line) => line.startsWith('\u001b[31m  10.0.0.0:80')));
  });

  test('lets no byte of an endpoint steer the terminal', () => {
    const lines = statusLines(liveOf(1, { availability: 'down', cause: 'it said \u001b[2J\u0007' }), PLAIN);
    assert.match(lines[5]!, /it said \?\[2J\?$/);
  });
});

describe('at 80 columns', () => {
  const long = 'connection refused (3 of 3 checks failed), and the last good heartbeat was received at 11:58:03 today';
  const narrow = { ...PLAIN, width: 80 };

  test('no cause is cut: it has lines of its own below its endpoint', () => {
    const { body } = linesOf(liveOf(2, { availability: 'down', cause: long }), narrow);
    const note = body.filter(({ key, text }) => key === 'api/10.0.0.0:80' && text.startsWith('      '));
    assert.equal(note.map(({ text }) => text.trim()).join(' '), long);
    for (const { text } of body) assert.ok(text.length <= 80, text);
  });

  test('state, load, errors and latency stay; names keep their ports', () => {
    const name = `a-very-long-name-of-an-endpoint-in-some-region.internal.example.com:8443`;
    const { head, body } = linesOf(liveOf(1, { name, availability: 'drain', cause: long }), narrow);
    for (const title of ['STATE', 'INFLIGHT', 'REQ/S']) assert.ok(head.at(-1)!.includes(title), title);
    assert.match(body[1]!.text, /^ {2}a-very.*….*com:8443 +drain /);
    assert.equal(shorten('abcdefghij', 5), 'ab…ij');
  });

  test('all columns and the cause beside it appear where there is room', () => {
    const { head, body } = linesOf(liveOf(1, { availability: 'down', cause: long }), PLAIN);
    assert.match(head.at(-1)!, /ENDPOINT.*FOR.*WEIGHT.*QUEUED.*P50.*P99 +CAUSE$/);
    assert.equal(body.length, 2);
  });
});

describe('the order and the filter', () => {
  const namesOf = (options: Partial<StatusTextOptions>): (string | null)[] =>
    linesOf(liveOf(3, { availability: 'down' }), { ...PLAIN, ...options }).body.map(({ key }) => key);

  test('sort endpoints within their upstream', () => {
    const [a, b, c] = ['api/10.0.0.0:80', 'api/10.0.0.1:80', 'api/10.0.0.2:80'];
    assert.deepEqual(
      namesOf({ sort: 'name' }),
      [null, a, a, b, c].filter((_, at) => at !== 2),
    );
    assert.deepEqual(namesOf({ sort: 'state' }).slice(0, 2), [null, a]);
    assert.deepEqual(namesOf({ sort: 'inflight' }), [null, c, b, a]);
  });

  test('match upstream, name or state', () => {
    assert.deepEqual(namesOf({ filter: '0.2:' }), [null, 'api/10.0.0.2:80']);
    assert.deepEqual(namesOf({ filter: 'DOWN' }), [null, 'api/10.0.0.0:80']);
    assert.deepEqual(namesOf({ filter: 'nothing' }), []);
  });
});

const SIZE = { width: 100, height: 10, hasColor: false };

/** Presses keys, drawing after each. */
function press(live: LiveReply, keys: readonly string[], size = SIZE, requests: RequestsReply | null = null) {
  let frame = frameOf(live, requests, { view: firstView, size, notice: '' });
  let view: TopView = frame.view;
  const acts: unknown[] = [];
  for (const key of keys) {
    const step = stepView(view, key, frame.names);
    if (step.act !== null) acts.push(step.act);
    frame = frameOf(live, requests, { view: step.view, size, notice: '' });
    ({ view } = frame);
  }
  return { ...frame, acts };
}

describe('keys', () => {
  test('are found in the input of a terminal', () => {
    const input = 'j\u001b[A\u001b[6~\u001b[1;5Cx\u001b\r\u007f\u0003é';
    assert.deepEqual(keysOf(input), ['j', 'up', 'pageDown', 'x', 'escape', 'enter', 'backspace', 'interrupt', 'é']);
  });

  test('select endpoints and scroll the table with the selection, not beyond its ends', () => {
    const live = liveOf(30);
    assert.equal(press(live, ['up']).view.selected, 'api/10.0.0.0:80');
    const { view, lines } = press(
      live,
      Array.from({ length: 9 }, () => 'pageDown'),
    );
    assert.equal(view.selected, 'api/10.0.0.29:80');
    assert.equal(lines.length, 10);
    assert.match(lines.at(-2)!, /10\.0\.0\.29:80/);
    assert.match(lines.at(-1)!, /^26 more /);
    assert.match(lines[3]!, /^ENDPOINT/);
    assert.equal(press(live, ['G', 'g']).view.selected, 'api/10.0.0.0:80');
  });

  test('t leaves only what is not up', () => {
    const tall = { ...SIZE, height: 40 };
    const { lines } = press(liveOf(5, { availability: 'suspect' }), ['t'], tall);
    assert.equal(lines.filter((line) => line.startsWith('  10.')).length, 1);
    assert.equal(press(liveOf(5), ['t'], tall).lines[3], 'everything is up');
  });

  test('s chooses the next order, and / a filter until Esc clears it', () => {
    assert.equal(press(liveOf(2), ['s', 's']).view.sort, 'inflight');
    assert.deepEqual(press(liveOf(3), ['/', '0', '.', '2', ':']).names, ['api/10.0.0.2:80']);
    const kept = press(liveOf(3), ['/', '0', '.', '2', 'q', 'backspace', 'enter']);
    assert.deepEqual([kept.view.filter, kept.view.isTyping, kept.acts], ['0.2', false, []]);
    assert.equal(press(liveOf(3), ['/', 'x', 'enter', 'escape']).names.length, 3);
  });

  test('d, r and m change the selected endpoint after y, and nothing after another key', () => {
    const live = liveOf(3);
    assert.deepEqual(press(live, ['d', 'y']).acts, []);
    assert.match(press(live, ['j', 'd']).lines.at(-1)!, /^drain api\/10\.0\.0\.0:80\? y: yes/);
    assert.deepEqual(press(live, ['j', 'j', 'd', 'y']).acts, [{ endpoint: 'api/10.0.0.1:80', admin: 'drain' }]);
    assert.deepEqual(press(live, ['j', 'r', 'y']).acts, [{ endpoint: 'api/10.0.0.0:80', admin: 'ready' }]);
    assert.deepEqual(press(live, ['j', 'm', 'n']).acts, []);
    assert.deepEqual(press(live, ['q']).acts, ['leave']);
    assert.deepEqual(press(live, ['j', 'd', 'interrupt']).acts, ['leave']);
  });

  test('hints fit 80 columns', () => {
    for (const keys of [[], ['j'], ['v'], ['/', 'a'], ['/', 'abcdefgh', 'enter']]) {
      const { lines } = press(liveOf(40), keys, { ...SIZE, width: 80 });
      assert.ok(!lines.at(-1)!.endsWith('…'), lines.at(-1)!);
    }
  });
});

describe('the requests in flight', () => {
  const request = {
    id: '1',
    client: '192.0.2.1',
    listener: 'web',
    method: 'GET',
    host: 'shop.example.com',
    path: '/cart',
    route: 'shop',
    upstream: 'app',
    endpoint: 'app/10.0.0.1:80',
    phase: 'waiting' as const,
    ageMs: 40,
    attempts: 1,
    bytesReceived: 0,
    bytesSent: 0,
  };
  const reply: RequestsReply = {
    total: 700,
    requests: [
      { ...request, ageMs: 61_000, path: '/report\u001b[2J', client: '' },
      { ...request, bytesSent: 5 * 1024 * 1024, phase: 'responding' as const },
    ],
    clients: [{ client: '192.0.2.1', requests: 600, bytesReceived: 0, bytesSent: 0 }],
    missingWorkers: [1],
  };
  const wide = { ...SIZE, width: 120 };

  test('show who is slow and who is loudest', () => {
    const { lines } = press(liveOf(1), ['v'], wide, reply);
    assert.equal(lines[0], '700 requests in flight, the oldest 2 are listed; no answer from worker 1');
    assert.equal(lines[1], 'most requests: 192.0.2.1 (600)');
    assert.match(lines[4]!, /^GET shop\.example\.com\/report\?\[2J +61\.0 s +waiting +unix +app\/10\.0\.0\.1:80/);
  });

  test('are sorted by age, bytes sent or received, and filtered', () => {
    assert.match(press(liveOf(1), ['v', 's'], wide, reply).lines[4]!, /cart .*responding .* 5 MiB$/);
    const filtered = press(liveOf(1), ['v', '/', 'c', 'a', 'r', 't'], wide, reply);
    assert.equal(filtered.lines.filter((line) => line.startsWith('GET')).length, 1);
  });

  test('fit 80 columns', () => {
    for (const line of press(liveOf(1), ['v'], { ...SIZE, width: 80 }, reply).lines) assert.ok(line.length <= 80, line);
    assert.deepEqual([0, 1023, 1536, 5e9].map(bytes), ['0 B', '1023 B', '1.5 KiB', '4.7 GiB']);
  });
});

test('ages have their two largest units', () => {
  assert.deepEqual([0, 59, 61, 3600, 90_061, -5].map(ageWords), ['0s', '59s', '1min 1s', '1h', '1d 1h', '0s']);
});
