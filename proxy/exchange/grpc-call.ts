// gRPC calls: their deadline, responses with a retryable status, and the end of a call whose response can't be completed.
// Thread: worker.

import { failureOf, type Failure, type FailureKind } from '../../core/failure.ts';
import { GrpcStatus, isGrpc } from '../../core/grpc-status.ts';
import { type FieldList, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { RetrySnapshot } from '../../core/snapshot/upstream.ts';
import { GrpcWebHead } from '../policies/grpc-web-head.ts';

/** One to eight digits and a unit (grpc/doc/PROTOCOL-HTTP2.md, Timeout). */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** When the deadline of a call passes, in monotonic ms; 0 for none. @param beganMs when the request began */
export function grpcDeadlineMs(head: RequestHead, beganMs: number): number {
  if (!isGrpc(head)) return 0;
  const [, digits, unit] = TIMEOUT.exec(head.field('grpc-timeout') ?? '') ?? [];
  return digits === undefined ? 0 : beganMs + Number(digits) * UNIT_MS[unit!]!;
}

/** The rest of a deadline as a field. @param leftMs at least 1 ms is given: 0 is no timeout in gRPC */
export function grpcTimeoutField(leftMs: number): FieldList {
  return ['grpc-timeout', `${Math.min(99_999_999, Math.max(1, Math.floor(leftMs)))}m`];
}

/** Whether a response without messages has a gRPC status that is retried. */
export function isRetryableGrpc({ grpcStatuses }: RetrySnapshot, head: ResponseHead): boolean {
  if (grpcStatuses.length === 0 || head.bodyLength !== 0) return false;
  const status = head.field('grpc-status');
  return status !== undefined && grpcStatuses.includes(Number(status));
}

const STATUS_OF_CUT: Readonly<Partial<Record<FailureKind, number>>> = {
  'malformed-response': GrpcStatus.INTERNAL,
  'response-timeout': GrpcStatus.DEADLINE_EXCEEDED,
};

/**
 * Trailers that end a call whose response can't be completed: the status shows that it isn't whole, and is better than a
 * reset, which clients report as a fault of the protocol. Null where the response must be cut instead.
 */
export function grpcTrailers(head: RequestHead, failure: Failure): FieldList | null {
  // gRPC-Web has trailers in the body, whatever the protocol is.
  const hasTrailers = head.version === '2.0' || head instanceof GrpcWebHead;
  if (failure.kind === 'cancelled' || !hasTrailers || !isGrpc(head)) return null;
  const status = STATUS_OF_CUT[failure.kind] ?? GrpcStatus.UNAVAILABLE;
  return ['grpc-status', String(status), 'grpc-message', `the response was not completed: ${failure.kind}`];
}

/** The failure of a call whose deadline has passed: no evidence about the endpoint. */
export const DEADLINE_PASSED: Failure = failureOf('response-timeout', true, new Error('the deadline has passed'));
