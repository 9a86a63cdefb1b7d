// The truth table of retries: every failure, method, body and progress (docs/algorithms.md 4.1). Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RetryVerdict } from '../../../../core/exchange-record.ts';
import { FAILURE_KINDS, type FailureKind } from '../../../../core/failure.ts';
import type { RetrySnapshot } from '../../../../core/snapshot/upstream.ts';
import { isIdempotentMethod, type RetryFacts, retryVerdict } from '../../../../proxy/placement/retry-verdict.ts';

const SETTINGS: RetrySnapshot = {
  attempts: 1,
  onConnectFailure: true,
  onReset: true,
  onTimeout: true,
  statuses: [503],
  grpcStatuses: [],
  perTryTimeoutMs: 0,
  budgetRatio: 0.2,
  budgetMin: 3,
  bufferBytes: 65_536,
};

const GET: RetryFacts = {
  kind: 'reset',
  wasSent: true,
  isIdempotent: true,
  isBodyReplayable: true,
  hasResponseBegun: false,
  retriesSoFar: 0,
  mayWait: false,
};

/** Verdicts for a replayable first attempt with these settings: [unsent, sent and safe, sent and unsafe]. */
const TABLE: Readonly<Record<FailureKind | 'status', readonly [RetryVerdict, RetryVerdict, RetryVerdict]>> = {
  'connect-refused': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'connect-timeout': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'connect-failed': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'tls-failed': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'stale-connection': ['never-sent', 'unanswered-safe', 'refused-not-retryable'],
  'refused-stream': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  reset: ['never-sent', 'unanswered-safe', 'refused-not-retryable'],
  'response-timeout': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'try-timeout': ['never-sent', 'unanswered-safe', 'refused-not-retryable'],
  'idle-timeout': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'malformed-response': ['never-sent', 'unanswered-safe', 'refused-not-retryable'],
  'head-too-large': ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  truncated: ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  'unsendable-request': ['refused-not-retryable', 'refused-not-retryable', 'refused-not-retryable'],
  'upgrade-unsupported': ['refused-not-retryable', 'refused-not-retryable', 'refused-not-retryable'],
  cancelled: ['refused-not-retryable', 'refused-not-retryable', 'refused-not-retryable'],
  internal: ['never-sent', 'refused-not-retryable', 'refused-not-retryable'],
  status: ['never-sent', 'status', 'refused-not-retryable'],
};

test('the idempotent methods are those of RFC 9110 section 9.2.2, in upper case', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
    assert.ok(isIdempotentMethod(method), method);
  for (const method of ['POST', 'PATCH', 'CONNECT', 'MERGE', 'get']) assert.ok(!isIdempotentMethod(method), method);
});

describe('retryVerdict', () => {
  for (const kind of [...FAILURE_KINDS, 'status' as const]) {
    test(`${kind}: by what was sent and whether the method is safe to repeat`, () => {
      const [unsent, safe, unsafe] = TABLE[kind];
      assert.equal(retryVerdict({ ...GET, kind, wasSent: false, isIdempotent: false }, SETTINGS), unsent, 'unsent');
      assert.equal(retryVerdict({ ...GET, kind }, SETTINGS), safe, 'safe');
      assert.equal(retryVerdict({ ...GET, kind, isIdempotent: false }, SETTINGS), unsafe, 'unsafe');
    });

    test(`${kind}: never after a byte of the response`, () => {
      for (const wasSent of [false, true]) {
        const facts = { ...GET, kind, wasSent, hasResponseBegun: true };
        assert.equal(retryVerdict(facts, SETTINGS), 'refused-response-begun');
      }
    });
  }

  test('no retry without the whole body', () => {
    assert.equal(retryVerdict({ ...GET, isBodyReplayable: false }, SETTINGS), 'refused-body');
    const unsent = { ...GET, kind: 'connect-refused' as const, wasSent: false, isBodyReplayable: false };
    assert.equal(retryVerdict(unsent, SETTINGS), 'refused-body');
  });

  test('sent requests are retried as often as configured, unsent ones up to three times', () => {
    assert.equal(retryVerdict({ ...GET, retriesSoFar: 1 }, SETTINGS), 'refused-attempts');
    const unsent = { ...GET, kind: 'connect-refused' as const, wasSent: false };
    assert.equal(retryVerdict({ ...unsent, retriesSoFar: 2 }, SETTINGS), 'never-sent');
    assert.equal(retryVerdict({ ...unsent, retriesSoFar: 3 }, SETTINGS), 'refused-attempts');
    assert.equal(retryVerdict(unsent, { ...SETTINGS, attempts: 0 }), 'refused-attempts');
  });

  test('each class can be turned off', () => {
    const unsent = { ...GET, kind: 'connect-refused' as const, wasSent: false };
    assert.equal(retryVerdict(unsent, { ...SETTINGS, onConnectFailure: false }), 'refused-not-retryable');
    assert.equal(retryVerdict(GET, { ...SETTINGS, onReset: false }), 'refused-not-retryable');
    const late = { ...GET, kind: 'try-timeout' as const };
    assert.equal(retryVerdict(late, { ...SETTINGS, onTimeout: false }), 'refused-not-retryable');
  });
});
