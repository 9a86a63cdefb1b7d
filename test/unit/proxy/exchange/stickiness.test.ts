// Sticky clients: they stay at their endpoint while it may serve them, and are bound to another afterwards. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AVAILABILITY, type Availability } from '../../../../core/availability.ts';
import { failureOf } from '../../../../core/failure.ts';
import { E_AVAILABILITY, UPSTREAM } from '../../../../core/memory/layout.ts';
import { ForwardingBench, type PlayedClient } from '../../../support/forwarding.ts';
import { fieldOf } from '../../../support/request-head.ts';
import { routeSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const STICKY = {
  cookie: 'lb',
  secrets: ['a secret that is long enough'],
  maxIdleMs: 1_800_000,
  maxLifeMs: 43_200_000,
  sameSite: 'Lax',
  isHttpOnly: true,
  isPassedOn: false,
  secure: 'auto',
} as const;

const bench = (): ForwardingBench =>
  new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ sticky: STICKY })] }));

/** The cookie of a response, ready to be sent back; undefined where none was set. */
function cookieOf(client: PlayedClient): string | undefined {
  return fieldOf(client.extra, 'set-cookie')?.split(';')[0];
}

function set(at: ForwardingBench, slot: number, availability: Availability): void {
  at.region.words[at.region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY[availability];
  Atomics.add(at.region.words, at.region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
}

/** A first request; gives the cookie and the slot that it names. */
function bind(at: ForwardingBench): { cookie: string; slot: number } {
  const client = at.request();
  at.last.answer();
  return { cookie: cookieOf(client)!, slot: at.last.slot };
}

test('a client comes back to its endpoint, and gets no second cookie', () => {
  const at = bench();
  const { cookie, slot } = bind(at);
  for (let index = 0; index < 10; index++) {
    const client = at.request({ fields: ['Cookie', `other=1; ${cookie}`] });
    assert.equal(at.last.slot, slot);
    at.last.answer();
    assert.equal(cookieOf(client), undefined);
  }
});

test('the first response forbids caches to share it', () => {
  const at = bench();
  const client = at.request();
  at.last.answer();
  assert.equal(fieldOf(client.extra, 'cache-control'), 'private');
  assert.match(fieldOf(client.extra, 'set-cookie')!, /; HttpOnly; SameSite=Lax$/);
});

test('a draining endpoint keeps its own clients and gets no new ones', () => {
  const at = bench();
  const { cookie, slot } = bind(at);
  set(at, slot, 'drain');
  at.request({ fields: ['Cookie', cookie] });
  assert.equal(at.last.slot, slot);
  for (let index = 0; index < 10; index++) {
    at.request();
    assert.notEqual(at.last.slot, slot);
  }
});

for (const availability of ['down', 'ejected', 'maintenance'] as const) {
  test(`an endpoint that is ${availability} loses its clients: they are bound to another`, () => {
    const at = bench();
    const { cookie, slot } = bind(at);
    set(at, slot, availability);
    const client = at.request({ fields: ['Cookie', cookie] });
    assert.notEqual(at.last.slot, slot);
    at.last.answer();
    assert.notEqual(cookieOf(client), undefined);
  });
}

test('a retry goes elsewhere and binds the client there', () => {
  const at = bench();
  const { cookie, slot } = bind(at);
  const client = at.request({ fields: ['Cookie', cookie] });
  at.last.events.onFailure(failureOf('connect-refused', false));
  assert.notEqual(at.last.slot, slot);
  at.last.answer();
  assert.notEqual(cookieOf(client), undefined);
});

test('a forged or foreign cookie is ignored', () => {
  const at = bench();
  const { cookie } = bind(at);
  const client = at.request({ fields: ['Cookie', `${cookie}x`] });
  at.last.answer();
  assert.notEqual(cookieOf(client), undefined);
});

test('a route removes fields from its responses, and sets others', () => {
  const route = routeSnapshot({ responseHeaders: { set: ['Server', 'ours'], remove: ['x-secret'] } });
  const at = new ForwardingBench(snapshot({ routes: [route] }));
  const client = at.request();
  at.last.answer(200, '', ['Server', 'theirs', 'X-Secret', '1', 'X-Kept', '2']);
  assert.deepEqual([...client.head!.endToEndFields()], ['X-Kept', '2']);
  assert.deepEqual(client.extra, ['Server', 'ours']);
});

/** The Cookie fields that an endpoint receives. */
function cookiesAt(at: ForwardingBench): string | undefined {
  const { request } = at.last;
  const inserted = fieldOf(request.insertedFields, 'cookie');
  if (inserted !== undefined) return inserted;
  return request.removedFields.has('cookie') ? undefined : request.head.field('cookie');
}

test('endpoints receive all cookies except ours, in order', () => {
  const at = bench();
  const { cookie } = bind(at);
  at.request({ fields: ['Cookie', `a=1; ${cookie}; b=2;lbx=3; ${cookie}`] });
  assert.equal(cookiesAt(at), 'a=1; b=2; lbx=3');
  assert.equal(at.last.request.insertedFields.at(-2), 'X-Request-Id');
  at.request({ fields: ['Cookie', cookie] });
  assert.equal(cookiesAt(at), undefined);
  at.request({ fields: ['Cookie', 'a=1; b=lb=2'] });
  assert.equal(cookiesAt(at), 'a=1; b=lb=2');
});

test('endpoints receive our cookie if passOn is set', () => {
  const upstream = upstreamSnapshot({ sticky: { ...STICKY, isPassedOn: true } });
  const at = new ForwardingBench(snapshot({ upstreams: [upstream] }));
  const { cookie } = bind(at);
  at.request({ fields: ['Cookie', `a=1; ${cookie}`] });
  assert.equal(cookiesAt(at), `a=1; ${cookie}`);
});

test('a route may remove or replace all cookies', () => {
  const upstream = upstreamSnapshot({ sticky: STICKY });
  for (const [set, remove, got] of [
    [['Cookie', 'fixed=1'], [], 'fixed=1'],
    [[], ['cookie'], undefined],
  ] as const) {
    const route = routeSnapshot({ requestHeaders: { set, remove } });
    const at = new ForwardingBench(snapshot({ routes: [route], upstreams: [upstream] }));
    const { cookie } = bind(at);
    at.request({ fields: ['Cookie', `a=1; ${cookie}`] });
    assert.equal(cookiesAt(at), got);
  }
});
