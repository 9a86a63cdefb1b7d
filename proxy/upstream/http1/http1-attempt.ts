// One attempt over our HTTP/1.1 engine, as the exchange holds it. Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest } from '../../../core/exchange-contract.ts';
import type { Failure } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import type { Dialling } from '../../../net/dial.ts';
import { Method } from '../../http1/message-head.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';

/** The connection that an attempt has leased. */
export interface LeasedConnection {
  /** @returns whether the endpoint has room for more */
  sendBody(chunk: Uint8Array): boolean;
  endBody(trailers: FieldList | null): void;
  resume(): void;
  /** The exchange discards the rest of the response. */
  abandon(): void;
}

export class Http1Attempt implements AttemptHandle {
  readonly request: AttemptRequest;
  readonly events: AttemptEvents;
  /** Whether heads and chunks of the response are used within the event that brings them. */
  readonly isImmediate: boolean;
  /** Whether the request may be sent twice: a stale connection then costs only time. */
  readonly isRepeatable: boolean;
  /** The request's head as text. */
  readonly headText: string;
  /** Null before and after the lease. */
  connection: LeasedConnection | null = null;
  dialling: Pick<Dialling, 'abort'> | null = null;
  /** The last event was emitted, or the exchange has cancelled the attempt. */
  isOver = false;

  constructor(request: AttemptRequest, events: AttemptEvents, isImmediate: boolean, headText: string) {
    this.request = request;
    this.events = events;
    this.isImmediate = isImmediate;
    this.isRepeatable = isImmediate && isRepeatable(request.head as ScannedRequestHead);
    this.headText = headText;
  }

  get protocol(): 'http1' {
    return 'http1';
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

  /** Emits the last event: the attempt failed. */
  fail(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection = null;
    this.events.onFailure(failure);
  }
}

/** Safe by its method (RFC 9110 section 9.2.1) and without a body, which may be gone by the time of a retry. */
function isRepeatable(head: ScannedRequestHead): boolean {
  const { method } = head.message;
  return (method === Method.GET || method === Method.HEAD || method === Method.OPTIONS) && head.bodyLength === 0;
}
