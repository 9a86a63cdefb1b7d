// Policy tracing: which requests begin, continue and record traces. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TracingDefaults } from '../../../../core/policy/policy-definition.ts';
import type { PolicyExchange } from '../../../../core/policy/policy.ts';
import { parseTraceparent } from '../../../../core/trace-context.ts';
import { tracing } from '../../../../proxy/policies/tracing.ts';
import { compileContext } from '../../../support/compile-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;
const BEGUN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

interface Played {
  /** Fields that the policy set; '' for one that it removed. */
  readonly edits: Record<string, string>;
  /** Arguments of the trace that was begun, without the exchange. */
  readonly begun: readonly string[] | null;
  readonly memo: unknown;
}

function play(
  data: { ratio: number; parent: TracingDefaults['parent'] },
  fields: Readonly<Record<string, string>> = {},
  isTrusted = false,
): Played {
  let begun: readonly string[] | null = null;
  const tracer = {
    begin: (_exchange: object, ...identity: string[]): string => {
      begun = identity;
      return BEGUN;
    },
    ended: () => undefined,
  };
  const edits: Record<string, string> = {};
  const exchange = {
    connection: { isTrusted },
    request: { field: (name: string) => fields[name] },
    setRequestField: (name: string, value: string) => void (edits[name] = value),
    removeRequestField: (name: string) => void (edits[name] = ''),
    exchange: {},
    set insertedFields([name, value]: string[]) {
      edits[name!] = value!;
    },
    get insertedFields() {
      return [];
    },
    memo: undefined,
  };
  const policy = tracing.create(data, { services: { tracer } } as never);
  assert.equal(policy.onRequest!(exchange as unknown as PolicyExchange), undefined);
  return { edits, begun, memo: exchange.memo };
}

describe('a request without a trace', () => {
  test('is recorded at 100 %, and gets the span of the request as its parent', () => {
    const { edits, begun, memo } = play({ ratio: 1, parent: 'trusted' });
    assert.deepEqual([edits, memo], [{ traceparent: BEGUN }, BEGUN]);
    assert.match(begun![0]!, /^[0-9a-f]{32}$/);
    assert.deepEqual(begun!.slice(1), ['', '']);
  });

  test('gets a traceparent without the flag where it is not recorded', () => {
    const { edits, begun } = play({ ratio: 0, parent: 'follow' });
    assert.equal(parseTraceparent(edits['traceparent']!)?.isSampled, false);
    assert.equal(begun, null);
  });

  test('is recorded in the configured share of cases', () => {
    let recorded = 0;
    for (let n = 0; n < 2000; n++) recorded += Number(play({ ratio: 0.1, parent: 'trusted' }).begun !== null);
    assert.ok(recorded > 130 && recorded < 270, `${recorded} of 2000`);
  });
});

describe('a hostile or broken traceparent begins a new trace without the state', () => {
  const values = [
    'x',
    '',
    `${SAMPLED}, ${SAMPLED}`,
    SAMPLED.toUpperCase(),
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `${SAMPLED}-more`,
    `00-${TRACE}-${PARENT}-0g`,
    '0'.repeat(8000),
  ];
  for (const value of values) {
    test(JSON.stringify(value.slice(0, 60)), () => {
      const { edits, begun } = play({ ratio: 1, parent: 'follow' }, { traceparent: value, tracestate: 'a=1' }, true);
      assert.deepEqual(edits, { tracestate: '', traceparent: BEGUN });
      assert.notEqual(begun![0], TRACE);
      assert.deepEqual(begun!.slice(1), ['', '']);
    });
  }
});

describe('the trace of a client', () => {
  const continued = [TRACE, PARENT, 'a=1'];
  /** Columns: parent, ratio, trusted, received, begun with, field that is sent (absent: as received). */
  const cases: readonly (readonly [TracingDefaults['parent'], number, boolean, string, unknown, string?])[] = [
    ['trusted', 0, true, SAMPLED, continued, BEGUN],
    ['trusted', 1, true, UNSAMPLED, null],
    ['trusted', 0, false, SAMPLED, null, UNSAMPLED],
    ['trusted', 1, false, UNSAMPLED, continued, BEGUN],
    ['follow', 0, false, SAMPLED, continued, BEGUN],
    ['follow', 1, false, UNSAMPLED, null],
  ];
  for (const [parent, ratio, isTrusted, received, begun, sent] of cases) {
    test(`parent ${parent}, sampling ${ratio}, ${isTrusted ? 'trusted' : 'untrusted'}, ${received.slice(-2)}`, () => {
      const played = play({ ratio, parent }, { traceparent: received, tracestate: 'a=1' }, isTrusted);
      assert.deepEqual(played.begun, begun);
      assert.deepEqual(played.edits, sent === undefined ? {} : { traceparent: sent });
    });
  }

  test('is replaced where it is ignored', () => {
    const { edits, begun } = play({ ratio: 1, parent: 'ignore' }, { traceparent: SAMPLED, tracestate: 'a=1' }, true);
    assert.deepEqual(edits, { tracestate: '', traceparent: BEGUN });
    assert.notEqual(begun![0], TRACE);
  });
});

describe('compiled', () => {
  const shared = { samplingPercent: 1, parent: 'trusted' } as const;

  test('takes the sampling of the top level unless the route has its own', () => {
    assert.deepEqual(tracing.compile({}, compileContext({ tracing: shared })), { ratio: 0.01, parent: 'trusted' });
    const own = tracing.compile({ tracing: { sampling: 50 } }, compileContext({ tracing: shared }));
    assert.deepEqual(own, { ratio: 0.5, parent: 'trusted' });
  });

  test('is nothing where tracing is off, for all or for the route', () => {
    assert.equal(tracing.compile({}, compileContext()), null);
    assert.equal(tracing.compile({ tracing: false }, compileContext({ tracing: shared })), null);
  });
});
