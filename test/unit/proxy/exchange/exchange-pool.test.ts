// Reuse of exchanges: `begin` resets everything, and the pool keeps only exchanges that nothing refers to. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientSide } from '../../../../core/exchange-contract.ts';
import { failureOf } from '../../../../core/failure.ts';
import { Exchange, type ExchangeHooks } from '../../../../proxy/exchange/exchange.ts';
import { ReplayBudget } from '../../../../proxy/exchange/replay-buffer.ts';
import { STATE } from '../../../../proxy/exchange/exchange-state.ts';
import { ExchangePool } from '../../../../proxy/exchange/exchange-pool.ts';
import type { Runtime } from '../../../../proxy/exchange/runtime.ts';
import { requestHead } from '../../../support/request-head.ts';

const HOOKS = { done: () => undefined, clientEnd: () => undefined } as unknown as ExchangeHooks;
const RUNTIME = {} as Runtime;
const SILENT = { isSilentAfterFlush: true } as ClientSide;
const start = (client = SILENT) => ({ client, head: requestHead(), upgrade: null });

const GROUPS = ['timing', 'body', 'policies', 'placement', 'tries', 'response', 'load'] as const;
const OPEN_LIST = ['openIn', 'earlierOpen', 'laterOpen'];
/** Fields that survive `begin`, because they belong to the object and not to the request. */
const KEPT: readonly string[] = [
  'timer',
  'triedSlots',
  'spare',
  'exchange',
  'requestEdits',
  'attemptEdits',
  'responseEdits',
  'waitNumber',
  ...OPEN_LIST,
];

function ownFields(part: object): (readonly [string, unknown])[] {
  return Object.entries(part).filter(([name]) => !KEPT.includes(name) && !(GROUPS as readonly string[]).includes(name));
}

function partsOf(exchange: Exchange): Record<string, object> {
  return { exchange, ...Object.fromEntries(GROUPS.map((name) => [name, exchange[name]])) };
}

function fields(exchange: Exchange): Record<string, unknown> {
  const parts = Object.entries(partsOf(exchange));
  const all = parts.flatMap(([part, object]) => ownFields(object).map(([name, value]) => [`${part}.${name}`, value]));
  return { ...Object.fromEntries(all), state: exchange.state };
}

/** Overwrites every field of every group with another value. */
function use(exchange: Exchange): void {
  for (const part of Object.values(partsOf(exchange))) {
    for (const [name, value] of ownFields(part)) {
      const other = typeof value === 'number' ? 77.5 : typeof value === 'boolean' ? !value : { used: name };
      Object.assign(part, { [name]: other });
    }
  }
}

/** An exchange after a plain request. */
function plain(client = SILENT): Exchange {
  const exchange = new Exchange(HOOKS);
  exchange.begin(start(client), RUNTIME, 1, 2, 3);
  exchange.placement.attempts = 1;
  exchange.enter(STATE.done);
  return exchange;
}

describe('a reused exchange', () => {
  test('equals a new one in every field of every group', () => {
    const given = start();
    const fresh = new Exchange(HOOKS);
    fresh.begin(given, RUNTIME, 1.5, 2.5, 3.5);
    const used = new Exchange(HOOKS);
    use(used);
    used.begin(given, RUNTIME, 1.5, 2.5, 3.5);
    assert.deepEqual(fields(used), fields(fresh));
    assert.ok(Object.keys(fields(used)).length > 55, 'the comparison sees the fields of all groups');
  });
});

function newPool(): ExchangePool {
  const pool = new ExchangePool(HOOKS);
  pool.take(RUNTIME);
  return pool;
}

describe('the pool', () => {
  test('drops its exchanges when the Runtime changes: they would keep the earlier one alive', () => {
    const pool = newPool();
    const exchange = plain();
    pool.give(exchange);
    assert.notEqual(pool.take({} as Runtime), exchange);
    pool.give(exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  test('reuses a plain exchange once', () => {
    const pool = newPool();
    const exchange = plain();
    pool.give(exchange);
    assert.equal(pool.take(RUNTIME), exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  test('reuses an exchange whose request had a body, once the client has sent all of it', () => {
    for (const isEnded of [false, true]) {
      const pool = newPool();
      const exchange = new Exchange(HOOKS);
      exchange.begin({ ...start(), head: requestHead({ bodyLength: 4 }) }, RUNTIME, 1, 2, 3);
      exchange.body.keepForReplay(100, new ReplayBudget(() => 1000));
      exchange.placement.attempts = 1;
      if (isEnded) exchange.onBodyEnd(null);
      exchange.enter(STATE.done);
      pool.give(exchange);
      assert.equal(pool.take(RUNTIME) === exchange, isEnded);
    }
  });

  test('rejects an exchange whose client side may send more events', () => {
    const pool = newPool();
    const exchange = plain({} as ClientSide);
    pool.give(exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  const CASES: readonly (readonly [string, (exchange: Exchange) => void])[] = [
    ['was tried twice', ({ placement }) => (placement.attempts = 2)],
    ['failed once', ({ tries }) => tries.failed(failureOf('reset', true))],
    ['was hedged', ({ placement }) => (placement.hedges = 1)],
    ['was queued', ({ placement }) => (placement.queuedMs = 5)],
    ['got a local reply', ({ response }) => response.endBy('noEndpoint')],
  ];
  for (const [name, change] of CASES) {
    test(`rejects an exchange that ${name}: other objects may still refer to it`, () => {
      const pool = newPool();
      const exchange = plain();
      change(exchange);
      pool.give(exchange);
      assert.notEqual(pool.take(RUNTIME), exchange);
    });
  }
});
