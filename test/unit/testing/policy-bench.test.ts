// The test kit of policies: it plays a policy's phases as an exchange does. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePolicy } from '../../../core/policy/policy-definition.ts';
import type { Policy } from '../../../core/policy/policy.ts';
import { PolicyOptionsError, testPolicy } from '../../../testing/policy-bench.ts';

/** A policy of these hooks. */
/** Calls may take long: the machine may be busy. */
const AMPLE_MS = 60_000;

function policyOf(hooks: Policy, more: Partial<Parameters<typeof definePolicy>[0]> = {}) {
  const own = { name: 'tried', options: () => ({}), compile: () => ({}), create: () => hooks };
  return definePolicy({ ...own, budgetMs: AMPLE_MS, ...more });
}

const limited = definePolicy({
  name: 'limited',
  needs: ['reply'],
  options: ({ count, duration }) => ({ most: count(1, 10), within: duration().prefault('2s') }),
  compile(options, { report }) {
    if (options.most === 7) report({ message: 'seven is not taken', path: ['most'] });
    return { most: options.most, withinMs: options.within };
  },
  create(data) {
    let left = data.most;
    return { onRequest: () => (left-- > 0 ? undefined : { status: 429, body: `after ${data.withinMs}` }) };
  },
});

describe('options', () => {
  test('are parsed by the schema of the policy, with its defaults', async () => {
    const bench = testPolicy(limited, { most: 1 });
    assert.equal((await bench.request()).reply, null);
    const { reply, sent } = await bench.request();
    assert.deepEqual([reply?.status, reply?.body, sent], [429, 'after 2000', null]);
    assert.deepEqual(bench.counts, {
      allowed: 1,
      refused: 1,
      errors: 0,
      overruns: 0,
      reported: 0,
      calls: 0,
      callFailures: 0,
      callMs: 0,
      bodies: 0,
      bodyBytesIn: 0,
      bodyBytesOut: 0,
    });
  });

  test('that do not fit are refused with their place', () => {
    assert.throws(() => testPolicy(limited, { most: 20 }), PolicyOptionsError);
    assert.throws(() => testPolicy(limited, { most: 7 }), { message: 'most: seven is not taken' });
    assert.throws(() => testPolicy(limited), /most/);
  });
});

describe('request fields', () => {
  const fields = ['Accept', '*/*', 'X-A', '1', 'X-Gone', '2', 'Cookie', 'a=b'];

  test('are set in place, added beside, and removed', async () => {
    const edits: Policy = {
      onRequest(exchange) {
        exchange.setRequestField('x-a', 'one');
        exchange.addRequestField('Accept', 'text/html');
        exchange.removeRequestField('X-Gone');
        assert.equal(exchange.requestField('x-a'), 'one');
        assert.equal(exchange.requestField('accept'), '*/*, text/html');
        assert.equal(exchange.requestField('x-gone'), undefined);
        assert.equal(exchange.request.field('x-a'), '1');
        return undefined;
      },
    };
    const { sent } = await testPolicy(policyOf(edits)).request({ fields });
    assert.deepEqual(sent?.fields, ['Cookie', 'a=b', 'x-a', 'one', 'Accept', '*/*', 'Accept', 'text/html']);
  });

  test('that never change are merged without a hook', async () => {
    const edits: Policy = { requestFields: { set: ['X-A', '5'], remove: ['x-gone'] } };
    const { sent } = await testPolicy(policyOf(edits)).request({ fields });
    assert.deepEqual(sent?.fields, ['Accept', '*/*', 'Cookie', 'a=b', 'X-A', '5']);
  });

  for (const [name, value] of [
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Host', 'a'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['X-Request-Id', 'a'],
    ['x y', 'a'],
    ['x-split', 'a\r\nX-Evil: b'],
    ['x-nul', 'a\0'],
  ] as const) {
    test(`${name}: ${JSON.stringify(value)} is refused, and answers 500`, async () => {
      const bench = testPolicy(
        policyOf({ onRequest: (exchange) => (exchange.setRequestField(name, value), undefined) }),
      );
      const { reply } = await bench.request();
      assert.equal(reply?.status, 500);
      assert.equal(bench.counts.errors, 1);
      assert.match(bench.log[0]!.text, /^policy tried failed in onRequest: /);
    });
  }

  test('that one attempt edits are not those of the next', async () => {
    const edits: Policy = {
      onPlaced: (exchange) => exchange.addRequestField('X-Try', `${exchange.attempts} at ${exchange.endpoint!.id}`),
    };
    const exchange = await testPolicy(policyOf(edits)).request();
    assert.equal(exchange.sent?.field('x-try'), '1 at 10.0.0.1:3000');
    exchange.place({ id: '10.0.0.2:3000' });
    assert.equal(exchange.sent?.field('x-try'), '2 at 10.0.0.2:3000');
  });
});

describe('responses', () => {
  test('get fields set, added and removed', async () => {
    const hooks: Policy = {
      responseFields: { set: ['X-Always', 'yes'], remove: ['server'] },
      onResponse(exchange) {
        exchange.setResponseField('Cache-Control', 'no-store');
        exchange.addResponseField('Vary', 'Origin');
        assert.equal(exchange.responseField('vary'), 'Accept, Origin');
        return undefined;
      },
    };
    const exchange = await testPolicy(policyOf(hooks)).request();
    const { status, fields } = exchange.respond({
      status: 201,
      fields: ['Server', 'x', 'Cache-Control', 'public', 'Vary', 'Accept'],
    });
    assert.equal(status, 201);
    assert.deepEqual(fields, ['Vary', 'Accept', 'X-Always', 'yes', 'Cache-Control', 'no-store', 'Vary', 'Origin']);
  });

  test('may be replaced by a reply', async () => {
    const hooks: Policy = {
      onResponse: ({ response }) => (response!.status >= 500 ? { status: 503, body: 'sorry' } : undefined),
    };
    const exchange = await testPolicy(policyOf(hooks, { needs: ['reply'] })).request();
    assert.deepEqual(exchange.respond({ status: 500, body: 'trace' }).body, 'sorry');
  });

  test('have their body changed where the policy declares it, and never without', async () => {
    const hooks: Policy = {
      onBodyChunk: (_exchange, chunk, _direction, isLast) =>
        Buffer.from(isLast ? '!' : Buffer.from(chunk).toString().toUpperCase()),
    };
    const changed = await testPolicy(policyOf(hooks, { needs: ['change-response-body'] })).request();
    assert.equal(changed.respond({ body: 'hello' }).body, 'HELLO!');
    const read = await testPolicy(policyOf(hooks, { needs: ['read-response-body'] })).request();
    assert.equal(read.respond({ body: 'hello' }).body, 'hello');
  });

  test('of Fairlead itself may be replaced', async () => {
    const hooks: Policy = { onLocalReply: (_exchange, { cause, status }) => ({ status, body: `page for ${cause}` }) };
    const exchange = await testPolicy(policyOf(hooks)).request();
    assert.equal(exchange.localReply({ status: 503, cause: 'no-endpoint' }).body, 'page for no-endpoint');
  });
});

describe('waiting', () => {
  const later = <Value>(value: Value) => new Promise<Value>((resolve) => setTimeout(() => resolve(value), 1));

  test('an answer that comes later counts like any other', async () => {
    const hooks: Policy = { onRequest: () => later({ status: 403 }) };
    const bench = testPolicy(policyOf(hooks, { needs: ['wait', 'reply'] }));
    assert.equal((await bench.request()).reply?.status, 403);
    assert.equal(bench.counts.refused, 1);
  });

  test('a promise of nothing lets the request pass', async () => {
    const bench = testPolicy(policyOf({ onRequest: () => later(undefined) }, { needs: ['wait'] }));
    assert.equal((await bench.request()).reply, null);
  });

  test('a promise that is never kept is cut at its deadline', async () => {
    const hooks: Policy = { onRequest: () => new Promise(() => undefined) };
    const bench = testPolicy(policyOf(hooks, { needs: ['wait'], waitMs: 5 }));
    assert.equal((await bench.request()).reply?.status, 500);
    assert.equal(bench.counts.overruns, 1);
  });

  test('a promise that is rejected answers 500', async () => {
    const bench = testPolicy(policyOf({ onRequest: () => Promise.reject(new Error('no')) }, { needs: ['wait'] }));
    assert.equal((await bench.request()).reply?.status, 500);
    assert.equal(bench.counts.errors, 1);
  });

  test('a promise without the need is an error, also where it is rejected', async () => {
    const bench = testPolicy(policyOf({ onRequest: () => Promise.reject(new Error('no')) }));
    assert.equal((await bench.request()).reply?.status, 500);
    assert.match(bench.log[0]!.text, /without declaring the need wait/);
  });

  test('only onRequest may wait', async () => {
    const hooks = { onResponse: () => Promise.reject(new Error('no')) } as unknown as Policy;
    const bench = testPolicy(policyOf(hooks, { needs: ['wait'] }));
    assert.equal((await bench.request()).respond().status, 500);
  });
});

describe('an answer', () => {
  const CASES: readonly (readonly [name: string, answer: unknown])[] = [
    ['of null', null],
    ['of a text', 'no'],
    ['with the status 99', { status: 99 }],
    ['with the status 1000', { status: 1000 }],
    ['with a status in words', { status: 'ok' }],
    ['with an odd list of fields', { status: 200, fields: ['X-A'] }],
    ['with a line feed in a value', { status: 200, fields: ['X-A', 'a\r\nX-B: c'] }],
    ['with framing of its own', { status: 200, fields: ['Content-Length', '5'] }],
    ['with a body of another kind', { status: 200, body: 5 }],
  ];
  for (const [name, answer] of CASES) {
    test(`${name} is an error, in each phase that may answer`, async () => {
      const needs = ['reply', 'wait'] as const;
      const hooks: Policy[] = [
        { onRequest: () => answer as never },
        { onRequest: () => Promise.resolve(answer as never) },
        { onResponse: () => answer as never },
      ];
      for (const policy of hooks) {
        const bench = testPolicy(policyOf(policy, { needs }));
        const exchange = await bench.request();
        assert.equal((exchange.reply ?? exchange.respond()).status, 500);
        assert.deepEqual([bench.counts.errors, bench.counts.refused], [1, 0]);
      }
      const bench = testPolicy(policyOf({ onLocalReply: () => answer as never }));
      const sent = (await bench.request()).localReply({ status: 503, cause: 'no-endpoint', body: 'ours' });
      assert.deepEqual([sent.status, sent.body], [503, 'ours']);
      assert.equal(bench.counts.errors, 1);
    });
  }

  test('without the need reply is an error', async () => {
    const bench = testPolicy(policyOf({ onRequest: () => ({ status: 403 }) }));
    assert.equal((await bench.request()).reply?.status, 500);
    assert.match(bench.log[0]!.text, /without declaring the need reply/);
  });
});

describe('targets and upstreams', () => {
  test('change where the policy declares it', async () => {
    const hooks: Policy = {
      onRequest(exchange) {
        exchange.setTarget('/new?x=1');
        exchange.chooseUpstream('canary');
        return undefined;
      },
    };
    const needs = ['change-target', 'choose-upstream'] as const;
    const bench = testPolicy(policyOf(hooks, { needs }), true, { upstreams: ['app', 'canary'] });
    const { sent } = await bench.request({ target: '/old' });
    assert.deepEqual([sent?.target, sent?.upstream], ['/new?x=1', 'canary']);
    const undeclared = testPolicy(policyOf(hooks));
    assert.equal((await undeclared.request()).reply?.status, 500);
    assert.match(undeclared.log[0]!.text, /does not declare the need change-target/);
  });

  test('that there are none of are refused', async () => {
    const needs = ['change-target', 'choose-upstream'] as const;
    for (const onRequest of [
      (exchange: Parameters<NonNullable<Policy['onRequest']>>[0]) => (exchange.chooseUpstream('nowhere'), undefined),
      (exchange: Parameters<NonNullable<Policy['onRequest']>>[0]) => (exchange.setTarget('/a b'), undefined),
      (exchange: Parameters<NonNullable<Policy['onRequest']>>[0]) => (
        exchange.setTarget('http://elsewhere/'), undefined
      ),
    ]) {
      const bench = testPolicy(policyOf({ onRequest }, { needs }));
      assert.equal((await bench.request()).reply?.status, 500);
    }
  });
});

test('a memo is kept from hook to hook, for one exchange', async () => {
  const hooks: Policy = {
    onRequest(exchange) {
      assert.equal(exchange.memo, undefined);
      exchange.memo = exchange.request.target;
      return undefined;
    },
    onResponse(exchange) {
      exchange.setResponseField('X-Target', exchange.memo as string);
      return undefined;
    },
  };
  const bench = testPolicy(policyOf(hooks));
  const [one, two] = [await bench.request({ target: '/1' }), await bench.request({ target: '/2' })];
  assert.deepEqual([two.respond().field('x-target'), one.respond().field('x-target')], ['/2', '/1']);
});

test('a call that takes longer than its budget is counted, and logged once per window', async () => {
  const hooks: Policy = {
    onRequest() {
      const untilMs = performance.now() + 3;
      while (performance.now() < untilMs);
      return undefined;
    },
  };
  const bench = testPolicy(policyOf(hooks, { budgetMs: 1 }));
  for (let count = 0; count < 3; count++) assert.equal((await bench.request()).reply, null);
  assert.equal(bench.counts.overruns, 3);
  assert.equal(bench.log.length, 1);
  assert.match(bench.log[0]!.text, /^policy tried took \d+ ms in onRequest, its budget is 1 ms$/);
});
