// One attempt on the fast path, as the exchange holds it: while it lasts it stands for its connection. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest } from '../../../core/exchange-contract.ts';
import type { Failure } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { Method } from '../../http1/message-head.ts';
import type { Dialling } from '../../../net/dial.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';

/** What an attempt does with its connection. */
export interface LeasedConnection {
  /** Whether the endpoint takes more at once. */
  sendBody(chunk: Uint8Array): boolean;
  endBody(trailers: FieldList | null): void;
  resume(): void;
  /** Nobody wants what is still to come. */
  abandon(): void;
}

export class Http1Attempt implements AttemptHandle {
  readonly request: AttemptRequest;
  readonly events: AttemptEvents;
  /** Whether heads and chunks of the response are used within the event that brings them. */
  readonly isImmediate: boolean;
  /** Whether the request may be sent twice: a connection that turns out stale costs only time then. */
  readonly isRepeatable: boolean;
  /** The request's head as text. */
  readonly headText: string;
  /** While it is the attempt's. */
  connection: LeasedConnection | null = null;
  dialling: Dialling | null = null;
  /** The last event has come, or the exchange has ended it. */
  isOver = false;

  constructor(request: AttemptRequest, events: AttemptEvents, isImmediate: boolean, headText: string) {
    this.request = request;
    this.events = events;
    this.isImmediate = isImmediate;
    this.isRepeatable = isImmediate && isRepeatable(request.head as ScannedRequestHead);
    this.headText = headText;
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.connection === null || this.connection.sendBody(chunk);
  }

  endBody(trailers: FieldList | null): void {
    this.connection?.endBody(trailers);
  }

  resume(): void {
    this.connection?.resume();
  }

  abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.dialling?.abort();
    this.dialling = null;
    this.connection?.abandon();
  }

  /** The last event: the attempt failed. */
  fail(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection = null;
    this.events.onFailure(failure);
  }
}

/** Safe or idempotent by its method (RFC 9110 section 9.2.2), and without a body that may be gone by then. */
function isRepeatable(head: ScannedRequestHead): boolean {
  const { method } = head.message;
  return (method === Method.GET || method === Method.HEAD || method === Method.OPTIONS) && head.bodyLength === 0;
}
