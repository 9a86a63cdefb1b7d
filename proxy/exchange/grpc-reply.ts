// Local replies to gRPC requests: HTTP 200 with a gRPC status, which is all that a gRPC client shows its caller. Thread: both.

import type { LocalReply } from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';

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

/** Fields of a reply that describe its body, which a gRPC status has not. */
const OF_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-language', 'cache-control']);

export function isGrpc(head: RequestHead): boolean {
  const type = head.field('content-type');
  return type !== undefined && CONTENT_TYPE.test(type);
}

/**
 * The reply as a gRPC status; unchanged where it is a success, or has a gRPC status already.
 * @param cause code of the reply @param message for the caller
 */
export function grpcReply(reply: LocalReply, cause: string, message: string): LocalReply {
  if (reply.status < 300 || reply.fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'grpc-status')) {
    return reply;
  }
  const status = STATUS_OF_CAUSE[cause] ?? STATUS_OF_HTTP[reply.status] ?? GrpcStatus.UNKNOWN;
  const kept = keptFields(reply.fields);
  const fields = ['content-type', 'application/grpc', 'grpc-status', String(status), 'grpc-message', encoded(message)];
  return { status: 200, reason: 'OK', fields: [...fields, ...kept], body: new Uint8Array(0), mustClose: false };
}

function keptFields(fields: FieldList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!OF_BODY.has(fields[at]!.toLowerCase())) kept.push(fields[at]!, fields[at + 1]!);
  }
  return kept;
}

/** Percent-encoded outside of printable ASCII (grpc/doc/PROTOCOL-HTTP2.md, Status-Message). */
function encoded(message: string): string {
  return [...Buffer.from(message)]
    .map((byte) => (byte < 0x20 || byte > 0x7e || byte === 0x25 ? percent(byte) : String.fromCodePoint(byte)))
    .join('');
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
