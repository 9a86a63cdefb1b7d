// gRPC requests, and the statuses of gRPC that stand for those of HTTP and for failures of our own. Thread: both.

import type { RequestHead } from './head.ts';

/** `application/grpc`, `application/grpc+proto` and such; not gRPC-Web, which is HTTP with statuses of its own. */
const CONTENT_TYPE = /^application\/grpc(?:[+;]|$)/i;

export const GrpcStatus = {
  CANCELLED: 1,
  UNKNOWN: 2,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** By HTTP status, as gRPC's mapping has it where it has one (grpc/doc/http-grpc-status-mapping.md). */
const STATUS_OF_HTTP: Readonly<Record<number, number>> = {
  400: GrpcStatus.INTERNAL,
  401: GrpcStatus.UNAUTHENTICATED,
  403: GrpcStatus.PERMISSION_DENIED,
  404: GrpcStatus.UNIMPLEMENTED,
  408: GrpcStatus.CANCELLED,
  413: GrpcStatus.RESOURCE_EXHAUSTED,
  429: GrpcStatus.RESOURCE_EXHAUSTED,
  431: GrpcStatus.RESOURCE_EXHAUSTED,
  500: GrpcStatus.INTERNAL,
  501: GrpcStatus.UNIMPLEMENTED,
  502: GrpcStatus.UNAVAILABLE,
  503: GrpcStatus.UNAVAILABLE,
  504: GrpcStatus.UNAVAILABLE,
};

/** Causes that say more than their HTTP status. */
const STATUS_OF_CAUSE: Readonly<Record<string, number>> = {
  'response-timeout': GrpcStatus.DEADLINE_EXCEEDED,
  'deadline-passed': GrpcStatus.DEADLINE_EXCEEDED,
  'queue-full': GrpcStatus.RESOURCE_EXHAUSTED,
  shed: GrpcStatus.RESOURCE_EXHAUSTED,
};

export function isGrpc(head: RequestHead): boolean {
  const type = head.field('content-type');
  return type !== undefined && CONTENT_TYPE.test(type);
}

/** The gRPC status of a reply. @param status of HTTP @param cause code of the reply */
export function grpcStatusOf(status: number, cause: string): number {
  return STATUS_OF_CAUSE[cause] ?? STATUS_OF_HTTP[status] ?? GrpcStatus.UNKNOWN;
}
