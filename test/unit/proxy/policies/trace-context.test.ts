// Policy trace-context: valid, invalid and absent traceparent fields. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { traceIdOf } from '../../../../core/trace-context.ts';
import { traceContext } from '../../../../proxy/policies/trace-context.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const VALID = `00-${TRACE}-00f067aa0ba902b7-01`;

describe('a traceparent', () => {
  const cases: Readonly<Record<string, boolean>> = {
    [VALID]: true,
    [`00-${TRACE}-00f067aa0ba902b7-00`]: true,
    [`cc-${TRACE}-00f067aa0ba902b7-01-what-the-future-brings`]: true,
    [`${VALID}-more`]: false,
    [`ff-${TRACE}-00f067aa0ba902b7-01`]: false,
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]: false,
    [`00-${TRACE}-${'0'.repeat(16)}-01`]: false,
    [VALID.toUpperCase()]: false,
    [` ${VALID}`]: false,
    [`${VALID}, ${VALID}`]: false,
    [`${VALID}\n`]: false,
    '': false,
  };
  for (const [value, isValid] of Object.entries(cases)) {
    test(`${JSON.stringify(value)} is ${isValid ? 'valid' : 'invalid'}`, () => {
      assert.equal(traceIdOf(value), isValid ? TRACE : null);
    });
  }
});

/** The fields that the endpoint gets. */
async function sent(options: unknown, fields: readonly string[]) {
  const exchange = await testPolicy(traceContext as never, { traceContext: options }).request({ fields });
  return { traceparent: exchange.sent?.field('traceparent'), tracestate: exchange.sent?.field('tracestate') };
}

describe('the policy', () => {
  test('forwards a valid field with its state', async () => {
    const fields = ['Traceparent', VALID, 'Tracestate', 'a=1'];
    assert.deepEqual(await sent({ create: true }, fields), { traceparent: VALID, tracestate: 'a=1' });
  });

  test('removes an invalid one, and a state without one', async () => {
    const none = { traceparent: undefined, tracestate: undefined };
    assert.deepEqual(await sent(true, ['Traceparent', 'x', 'Tracestate', 'a=1']), none);
    assert.deepEqual(await sent(true, ['Tracestate', 'a=1']), none);
    assert.deepEqual(await sent(true, []), none);
  });

  test('makes new ones where that is configured', async () => {
    const bench = testPolicy(traceContext as never, { traceContext: { create: true, sampled: false } });
    const made = new Set<string>();
    for (let n = 0; n < 200; n++) {
      const value = (await bench.request({ fields: n % 2 === 0 ? [] : ['Traceparent', 'x'] })).sent!.field(
        'traceparent',
      )!;
      assert.match(value, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      made.add(traceIdOf(value)!);
    }
    assert.equal(made.size, 200);
  });
});
