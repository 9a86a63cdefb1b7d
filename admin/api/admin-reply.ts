// Replies of the admin API: JSON except for metrics, never cached, never sniffed as another type. Thread: main.

import { type ServerResponse, STATUS_CODES } from 'node:http';

export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A refused request. Thrown by guards and handlers; the message is for the caller. */
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

/** A reply that goes on until the client or the server ends it. */
export interface AdminStream {
  /** Writes head and body; is not called for HEAD. */
  readonly stream: (response: ServerResponse) => void;
  readonly contentType: string;
}

export function jsonReply(value: unknown, status = 200, fields: Readonly<Record<string, string>> = {}): AdminReply {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n`, fields };
}

/** Problem details (RFC 9457) with a stable code and the members of that code. */
export function errorReply({ code, message, details, status, fields }: AdminError): AdminReply {
  const problem = { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, detail: message, code, ...details };
  return { status, contentType: 'application/problem+json', body: `${JSON.stringify(problem)}\n`, fields };
}

/** Fields of every reply. */
export const COMMON_FIELDS = {
  'Cache-Control': 'no-store',
  // Stored cross-site scripting: a browser must not render a name from the configuration as a page.
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Sends a reply; for HEAD only its head. */
export function sendReply(response: ServerResponse, reply: AdminReply | AdminStream, isHead: boolean): void {
  if ('stream' in reply) {
    if (isHead) response.writeHead(200, { 'Content-Type': reply.contentType, ...COMMON_FIELDS }).end();
    else reply.stream(response);
    return;
  }
  // RFC 9110 sections 8.6 and 15.4.5: no Content-Length in 204; in 304 it would describe a body that isn't sent.
  const isBare = reply.status === 204 || reply.status === 304;
  const length = isBare ? {} : { 'Content-Length': Buffer.byteLength(reply.body) };
  const type = isBare ? {} : { 'Content-Type': reply.contentType };
  response.writeHead(reply.status, { ...type, ...length, ...COMMON_FIELDS, ...reply.fields });
  response.end(isHead ? undefined : reply.body);
}
