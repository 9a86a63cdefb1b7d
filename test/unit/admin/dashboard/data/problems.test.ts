// Problems as sentences with a next step, the most serious first. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, type ProblemFacts } from '../../../../../admin/dashboard/data/problems.ts';
import type { LiveReply } from '../../../../../admin/api/reply-schemas.ts';

type Upstream = LiveReply['upstreams'][number];
type Endpoint = Upstream['endpoints'][number];

const endpoint = (name: string, availability: Endpoint['availability'], cause = ''): Endpoint =>
  ({ name, availability, cause }) as Endpoint;

function upstream(endpoints: Endpoint[], parts: Partial<Upstream> = {}): Upstream {
  return { name: 'api', queued: 0, errorShare: 0, requestsPerSecond: 1, sources: [], endpoints, ...parts } as Upstream;
}

/** @param parts differences from a process without problems */
function texts(upstreams: Upstream[], parts: Partial<ProblemFacts> = {}, live: Partial<LiveReply> = {}): string[] {
  const well = {
    at: '2026-01-01T00:00:00.000Z',
    ready: true,
    notReadyBecause: [],
    workers: [],
    listeners: [],
    maintenance: [],
    providers: [],
    registrations: [],
  };
  const facts = {
    live: { ...well, upstreams, ...live } as unknown as LiveReply,
    budget: null,
    certificates: [],
    reload: null,
    saturation: new Map(),
  };
  return problemsOf({ ...facts, ...parts }).map(({ tone, text, step }) => `${tone}: ${text} ${step}`);
}

test('a process without problems has none', () => {
  assert.deepEqual(texts([upstream([endpoint('a:1', 'up'), endpoint('b:1', 'drain')])]), []);
});

test('endpoints of one upstream are one sentence, with a step that fits the cause', () => {
  const refused = endpoint('a:1', 'down', 'connection refused');
  assert.deepEqual(texts([upstream([refused, endpoint('b:1', 'up')])]), [
    'bad: api/a:1 is down: connection refused. Check that its program runs and listens on this port.',
  ]);
  const slow = endpoint('c:1', 'suspect', 'timed out');
  assert.deepEqual(texts([upstream([slow, refused, endpoint('b:1', 'up')])]), [
    'bad: 2 of 3 endpoints of api have problems. a:1 is down: connection refused. Check that its program runs and listens on this port.',
  ]);
  assert.match(
    texts([upstream([refused])])[0]!,
    /^bad: Upstream api has no endpoint in service\. .* Its requests fail or wait\./,
  );
});

test('queues, errors, sources, reloads and the budget are problems', () => {
  const source = {
    source: 'dns',
    subject: 'api.test',
    state: 'stale',
    cause: 'SERVFAIL',
    endpoints: 2,
    ageSeconds: 60,
  };
  const ill = upstream([endpoint('a:1', 'up')], {
    queued: 1,
    errorShare: 0.5,
    sources: [source as Upstream['sources'][number]],
  });
  const reload = { id: '1', kind: 'reload', at: '2026-01-01T00:00:00.000Z', ok: false, generation: 2 } as const;
  const found = texts([ill], {
    reload: { ...reload, changes: [], problems: ['did you mean shop?'] },
    budget: { target: 0.999, requests: 1000, errors: 5, usedShare: 5 },
  }).map((text) => text.replaceAll('\u00a0', ' '));
  assert.equal(found.length, 5);
  assert.match(
    found[0]!,
    /^bad: 50\.0 % of the responses of api are errors \(5xx\)\. All its endpoints are in service/,
  );
  assert.match(found[1]!, /^bad: The reload at .* was refused: did you mean shop\? Revision 2 stays in use/);
  assert.match(found[2]!, /^warn: 1 request of api waits for a free endpoint\./);
  assert.match(
    found[3]!,
    /^warn: Source dns api\.test of api is out of date: SERVFAIL\. Its last 2 endpoints stay in use, last confirmed 1 min ago\./,
  );
  assert.match(found[4]!, /^warn: More requests .* target of 99\.9 % allows: 5 of 1,000 requests\./);
});

test('certificates that expire, or are not issued, are problems; renewed ones are not', () => {
  const base = { names: ['a.test'], error: null, nextRenewal: null, state: 'in-use' };
  const certificates = [
    { ...base, notAfter: '2025-12-31T00:00:00.000Z' },
    { ...base, notAfter: '2026-01-03T00:00:00.000Z' },
    { ...base, notAfter: '2026-01-03T00:00:00.000Z', nextRenewal: '2026-01-02T00:00:00.000Z' },
    { ...base, notAfter: null, state: 'waiting', error: 'CA is unreachable' },
  ] as unknown as ProblemFacts['certificates'];
  const found = texts([], { certificates }).map((text) => text.replaceAll('\u00a0', ' '));
  assert.deepEqual(found, [
    'bad: Certificate a.test has expired 1 d ago. Clients refuse it: install a new one.',
    'bad: Certificate a.test has not been issued yet: CA is unreachable. Clients of this name get a placeholder certificate.',
    'warn: Certificate a.test expires in 2 d. Install a new one.',
  ]);
});

test('a process that is not ready, and maintenance, come first and last', () => {
  const maintenance = [
    { of: 'route', name: 'shop', by: 'ops', since: '2026-01-01T00:00:00.000Z', retryAfterSeconds: 60 },
  ];
  const live = { ready: false, notReadyBecause: ['no worker'], maintenance } as unknown as Partial<LiveReply>;
  const found = texts([], {}, live);
  assert.match(found[0]!, /^bad: Fairlead is not ready: no worker\./);
  assert.match(
    found[1]!,
    /^set: The route shop is in maintenance, set by ops\. For 0\u00a0s .* fairlead maintenance off shop\./,
  );
});

test('a provider that fails, or refuses objects, is a problem', () => {
  const provider = { name: 'kubernetes', state: 'stale', ageSeconds: 60, cause: 'connection refused', refused: 2 };
  const live = {
    providers: [provider, { ...provider, state: 'current', refused: 0 }],
  } as unknown as Partial<LiveReply>;
  assert.deepEqual(
    texts([], {}, live).map((text) => text.replaceAll('\u00a0', ' ')),
    [
      'warn: Provider kubernetes is out of date: connection refused. Its last routes stay in use, last confirmed 1 min ago.',
      'warn: Provider kubernetes refuses 2 objects. Correct them: each is listed with its problem.',
    ],
  );
});

test('a registration that cannot be made or confirmed is a problem; one that is being made is none', () => {
  const edge = { id: 'edge-1', subject: 'Consul http://127.0.0.1:8500', state: 'current', ageSeconds: 5, cause: '' };
  const live = {
    registrations: [
      edge,
      { ...edge, state: 'pending', ageSeconds: null },
      { ...edge, state: 'pending', ageSeconds: null, cause: 'permission denied (403)' },
      { ...edge, state: 'stale', ageSeconds: 60, cause: 'connection refused' },
    ],
  } as unknown as Partial<LiveReply>;
  const found = texts([], {}, live).map((text) => text.replaceAll('\u00a0', ' '));
  assert.equal(found.length, 2);
  assert.match(
    found[0]!,
    /^warn: Registration edge-1 at Consul .* permission denied \(403\)\. It was never made, and is tried/,
  );
  assert.match(
    found[1]!,
    /^warn: .* is out of date: connection refused\. It was last confirmed 1 min ago, and is tried again\.$/,
  );
});

test('limits that are almost used up are problems: those of upstreams, or of the process where none explains it', () => {
  const found = (uses: [string, number | null][]) =>
    texts([], { saturation: new Map(uses) }).map((text) => text.replaceAll('\u00a0', ' '));
  assert.deepEqual(
    found([
      ['', 0.89],
      ['api', null],
    ]),
    [],
  );
  assert.match(
    found([
      ['', 0.95],
      ['api', 0.2],
    ])[0]!,
    /^warn: Fairlead is at 95\.0 % of an overload limit\./,
  );
  const [text, ...others] = found([
    ['', 0.95],
    ['api', 0.95],
    ['web', 0.5],
  ]);
  assert.match(text!, /^warn: The endpoints of api use 95\.0 % of their limits in flight\. Beyond them requests wait/);
  assert.deepEqual(others, []);
});
