import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientSide } from '../../../../core/exchange-contract.ts';
import { failureOf } from '../../../../core/failure.ts';
import { Exchange, type ExchangeHooks } from '../../../../proxy/exchange/exchange.ts';
import { ExchangePool } from '../../../../proxy/exchange/exchange-pool.ts';
import type { Runtime } from '../../../../proxy/exchange/runtime.ts';
import { requestHead } from '../../../support/request-head.ts';

const HOOKS = {} as ExchangeHooks;
const RUNTIME = {} as Runtime;
const SILENT = { isSilentAfterFlush: true } as ClientSide;
const start = (client = SILENT) => ({ client, head: requestHead(), upgrade: null });

/** Fields that stay over `begin`, because they are the exchange's own. */
const OPEN = ['openIn', 'earlierOpen', 'laterOpen'];
const OWN: readonly string[] = ['hooks', 'timer', 'triedSlots', 'spareAttempt', ...OPEN];

function fields(exchange: Exchange): Record<string, unknown> {
  return Object.fromEntries(Object.entries(exchange).filter(([name]) => !OWN.includes(name)));
}

/** Writes something else into every field. */
function use(exchange: Exchange): void {
  for (const [name, value] of Object.entries(exchange)) {
    if (OWN.includes(name)) continue;
    const other = typeof value === 'number' ? 77.5 : typeof value === 'boolean' ? !value : { used: name };
    Object.assign(exchange, { [name]: other });
  }
}

/** An exchange after a plain request. */
function plain(client = SILENT): Exchange {
  const exchange = new Exchange(HOOKS);
  exchange.begin(start(client), RUNTIME, 1, 2, 3);
  exchange.attempts = 1;
  exchange.state = 'done';
  return exchange;
}

describe('an exchange that is used again', () => {
  test('is in every field like a new one', () => {
    const given = start();
    const fresh = new Exchange(HOOKS);
    fresh.begin(given, RUNTIME, 1.5, 2.5, 3.5);
    const used = new Exchange(HOOKS);
    use(used);
    used.begin(given, RUNTIME, 1.5, 2.5, 3.5);
    assert.deepEqual(fields(used), fields(fresh));
  });
});

function newPool(): ExchangePool {
  const pool = new ExchangePool(HOOKS);
  pool.take(RUNTIME);
  return pool;
}

describe('the pool', () => {
  test('drops what it kept when another Runtime is there: it would keep the earlier one', () => {
    const pool = newPool();
    const exchange = plain();
    pool.give(exchange);
    assert.notEqual(pool.take({} as Runtime), exchange);
    pool.give(exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  test('gives back what went the plain way', () => {
    const pool = newPool();
    const exchange = plain();
    pool.give(exchange);
    assert.equal(pool.take(RUNTIME), exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  test('keeps nothing of a client side that may tell more', () => {
    const pool = newPool();
    const exchange = plain({} as ClientSide);
    pool.give(exchange);
    assert.notEqual(pool.take(RUNTIME), exchange);
  });

  const WAYS: readonly (readonly [string, (exchange: Exchange) => void])[] = [
    ['was tried twice', (exchange) => (exchange.attempts = 2)],
    ['failed once', (exchange) => (exchange.lastFailure = failureOf('reset', true))],
    ['was hedged', (exchange) => (exchange.hedges = 1)],
    ['waited', (exchange) => (exchange.queuedMs = 5)],
    ['was answered by us', (exchange) => (exchange.termination = 'noEndpoint')],
  ];
  for (const [name, change] of WAYS) {
    test(`keeps nothing of an exchange that ${name}: others may know it still`, () => {
      const pool = newPool();
      const exchange = plain();
      change(exchange);
      pool.give(exchange);
      assert.notEqual(pool.take(RUNTIME), exchange);
    });
  }
});
