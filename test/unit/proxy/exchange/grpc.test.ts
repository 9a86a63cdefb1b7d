// gRPC: local replies as statuses, deadlines, retryable statuses, and trailers of responses that can't be completed.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf, type FailureKind } from '../../../../core/failure.ts';
import type { ResponseHead } from '../../../../core/head.ts';
import {
  grpcDeadlineMs,
  grpcTimeoutField,
  grpcTrailers,
  isRetryableGrpc,
} from '../../../../proxy/exchange/grpc-call.ts';
import { isGrpc } from '../../../../core/grpc-status.ts';
import { grpcReply } from '../../../../proxy/exchange/grpc-reply.ts';
import { localReply, policyReply, type ReplyCauseName } from '../../../../proxy/exchange/local-reply.ts';
import { fieldOf, requestHead } from '../../../support/request-head.ts';
import { upstreamSnapshot } from '../../../support/snapshots.ts';

const grpcHead = (...fields: readonly string[]) =>
  requestHead({ method: 'POST', version: '2.0', fields: ['content-type', 'application/grpc+proto', ...fields] });

describe('isGrpc', () => {
  for (const [type, expected] of [
    ['application/grpc', true],
    ['application/grpc+json', true],
    ['Application/gRPC; a=b', true],
    ['application/grpc-web', false],
    ['application/grpc-web+proto', false],
    ['application/json', false],
  ] as const) {
    test(`${type}: ${expected}`, () => assert.equal(isGrpc(requestHead({ fields: ['content-type', type] })), expected));
  }
  test('a request without content is none', () => assert.equal(isGrpc(requestHead()), false));
});

describe('grpcReply', () => {
  const statuses: readonly (readonly [cause: ReplyCauseName, status: number])[] = [
    ['no-route', 12],
    ['method-not-served', 12],
    ['no-endpoint', 14],
    ['connect-failed', 14],
    ['connect-timeout', 14],
    ['endpoint-gone', 14],
    ['malformed-response', 14],
    ['queue-timeout', 14],
    ['response-timeout', 4],
    ['deadline-passed', 4],
    ['queue-full', 8],
    ['shed', 8],
    ['body-too-large', 8],
    ['internal', 13],
    ['address-denied', 7],
  ];
  for (const [cause, status] of statuses) {
    test(`${cause}: ${status}`, () => {
      const reply = grpcReply(localReply(cause, null, 'r1'), cause, 'a 100% "message"\n');
      assert.deepEqual([reply.status, reply.body.byteLength, reply.mustClose], [200, 0, false]);
      assert.equal(fieldOf(reply.fields, 'grpc-status'), String(status));
      assert.equal(fieldOf(reply.fields, 'content-type'), 'application/grpc');
      assert.equal(fieldOf(reply.fields, 'grpc-message'), 'a 100%25 "message"%0A');
      assert.equal(fieldOf(reply.fields, 'x-request-id'), 'r1');
    });
  }

  test('successes, and replies with a status of their own, stay as they are', () => {
    const ok = policyReply({ status: 200, body: 'x' });
    assert.equal(grpcReply(ok, 'configured', ''), ok);
    const own = policyReply({ status: 429, fields: ['Grpc-Status', '8'] });
    assert.equal(grpcReply(own, 'policy', ''), own);
  });

  test('the replies of policies by their HTTP status', () => {
    for (const [status, expected] of [
      [401, 16],
      [403, 7],
      [429, 8],
      [301, 2],
      [418, 2],
    ] as const) {
      assert.equal(fieldOf(grpcReply(policyReply({ status }), 'policy', '').fields, 'grpc-status'), String(expected));
    }
  });
});

describe('deadlines', () => {
  for (const [timeout, expected] of [
    ['2S', 3000],
    ['250m', 1250],
    ['1H', 3_601_000],
    ['3M', 181_000],
    ['1500u', 1001.5],
    ['2000000n', 1002],
    ['123456789m', 0],
    ['5', 0],
    ['-5m', 0],
    ['5x', 0],
  ] as const) {
    test(`${timeout} after a start at 1000 ms: ${expected}`, () =>
      assert.equal(grpcDeadlineMs(grpcHead('grpc-timeout', timeout), 1000), expected));
  }

  test('none without the field, and none for other requests', () => {
    assert.equal(grpcDeadlineMs(grpcHead(), 1000), 0);
    assert.equal(grpcDeadlineMs(requestHead({ fields: ['grpc-timeout', '1S'] }), 1000), 0);
  });

  test('the time that is left, never 0', () => {
    assert.deepEqual(grpcTimeoutField(1234.5), ['grpc-timeout', '1234m']);
    assert.deepEqual(grpcTimeoutField(-5), ['grpc-timeout', '1m']);
    assert.deepEqual(grpcTimeoutField(1e12), ['grpc-timeout', '99999999m']);
  });
});

test('statuses are retried where they are listed and the response has no message', () => {
  const head = (bodyLength: number, status?: string): ResponseHead => ({
    status: 200,
    reason: 'OK',
    bodyLength,
    hasLength: bodyLength >= 0,
    field: (name) => (name === 'grpc-status' ? status : undefined),
    endToEndFields: () => [],
  });
  const retry = { ...upstreamSnapshot().retry, grpcStatuses: [14] };
  assert.equal(isRetryableGrpc(retry, head(0, '14')), true);
  assert.equal(isRetryableGrpc(retry, head(0, '13')), false);
  assert.equal(isRetryableGrpc(retry, head(0)), false);
  assert.equal(isRetryableGrpc(retry, head(-1, '14')), false);
  assert.equal(isRetryableGrpc(upstreamSnapshot().retry, head(0, '14')), false);
});

describe('trailers of a response that cannot be completed', () => {
  const statusOf = (kind: FailureKind): string | undefined =>
    fieldOf(grpcTrailers(grpcHead(), failureOf(kind, true)) ?? [], 'grpc-status');

  test('by the kind of the failure', () => {
    assert.deepEqual(
      ['truncated', 'idle-timeout', 'response-timeout', 'malformed-response'].map((kind) =>
        statusOf(kind as FailureKind),
      ),
      ['14', '14', '4', '13'],
    );
  });

  test('none where the client broke the request, and for other requests', () => {
    assert.equal(grpcTrailers(grpcHead(), failureOf('cancelled', true)), null);
    assert.equal(grpcTrailers(requestHead({ version: '2.0' }), failureOf('truncated', true)), null);
    const overHttp1 = requestHead({ fields: ['content-type', 'application/grpc'] });
    assert.equal(grpcTrailers(overHttp1, failureOf('truncated', true)), null);
  });
});
