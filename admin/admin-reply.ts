// Replies of the admin API: JSON but for the metrics, never cached, never taken for anything else. Thread: main.

import type { ServerResponse } from 'node:http';

export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Why a request is not served. Thrown by guards and handlers; its message is for the caller. */
export class AdminError extends Error {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  /** More for programs, beside code and message. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: Record<string, unknown>; fields?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = 'AdminError';
    this.status = status;
    this.code = code;
    this.details = more.details ?? {};
    this.fields = more.fields ?? {};
  }
}

export function jsonReply(value: unknown, status = 200): AdminReply {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

/** `{"error": {"code": ..., "message": ...}}`. */
export function errorReply(error: AdminError): AdminReply {
  const { code, message, details, status, fields } = error;
  return { ...jsonReply({ error: { code, message, ...details } }, status), fields };
}

/** Sends a reply; only its head where the request was HEAD. */
export function sendReply(response: ServerResponse, reply: AdminReply, isHead: boolean): void {
  response.writeHead(reply.status, {
    'Content-Type': reply.contentType,
    'Content-Length': Buffer.byteLength(reply.body),
    'Cache-Control': 'no-store',
    // A browser must not take a name from the configuration for a page of ours (stored cross-site scripting).
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    ...reply.fields,
  });
  response.end(isHead ? undefined : reply.body);
}
