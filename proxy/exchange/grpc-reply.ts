// Local replies to gRPC requests: HTTP 200 with a gRPC status, which is all that a gRPC client shows its caller. Thread: both.

import type { LocalReply } from '../../core/exchange-contract.ts';
import { grpcStatusOf } from '../../core/grpc-status.ts';
import type { FieldList } from '../../core/head.ts';

/** Fields of a reply that describe its body, which a gRPC status has not. */
const OF_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-language', 'cache-control']);

/**
 * The reply as a gRPC status; unchanged where it is a success, or has a gRPC status already.
 * @param cause code of the reply @param message for the caller
 */
export function grpcReply(reply: LocalReply, cause: string, message: string): LocalReply {
  if (reply.status < 300 || reply.fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'grpc-status')) {
    return reply;
  }
  const status = grpcStatusOf(reply.status, cause);
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
