// One attempt over undici: its handler on one side, the exchange's handle on the other. Thread: worker.

import type { Dispatcher } from 'undici';
import type { AttemptEvents, AttemptHandle, AttemptRequest } from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import type { EndpointResponseHead } from './endpoint-response-head.ts';
import { codeOf, failureOfError } from '../../../net/failure-of-error.ts';
import { ASTERISK_STAND_IN, type GuardedSocket, type GuardListener } from './guarded-socket.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { RequestBody } from './undici-request-body.ts';
import { requestFields } from './request-fields.ts';
import { methodNumber } from './response-gate.ts';

/**
 * Events never come inside `send`, nor inside a handle's calls: undici's parser may not be entered twice, and the
 * exchange may call from inside another attempt's event.
 */
export class UndiciAttempt implements AttemptHandle, Dispatcher.DispatchHandler, GuardListener {
  readonly #request: AttemptRequest;
  readonly #events: AttemptEvents;
  readonly #lease: () => PooledConnection;
  /** While it is the attempt's: until undici has handed on the whole response. */
  #connection: PooledConnection | null = null;
  readonly #body: RequestBody | null;
  #controller: Dispatcher.DispatchController | null = null;
  /** The connection that the request is on, once it is being written. */
  #guard: GuardedSocket | null = null;
  #isReused = false;
  #isOver = false;
  /** The exchange takes no response bytes for now. */
  #isPaused = false;
  #isResumeDue = false;
  /** What undici handed on nevertheless. */
  #held: Uint8Array[] = [];
  #hasEnded = false;

  /** @param lease gives the connection to send on, when the attempt begins */
  constructor(request: AttemptRequest, events: AttemptEvents, lease: () => PooledConnection) {
    this.#request = request;
    this.#events = events;
    this.#lease = lease;
    this.#body = request.head.bodyLength === 0 ? null : new RequestBody(this.#onBodyDrain);
  }

  /** Begins, once the caller's turn is over. */
  start(): void {
    queueMicrotask(() => {
      if (!this.#isOver) this.#dispatch();
    });
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#isOver || this.#body === null || this.#body.send(chunk);
  }

  /** Trailers are dropped: undici can't send any. */
  endBody(_trailers: FieldList | null): void {
    if (!this.#isOver) this.#body?.end();
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused || this.#isResumeDue) return;
    this.#isResumeDue = true;
    queueMicrotask(this.#resumeNow);
  }

  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    // Paused, so that undici's parser stops where it is if this comes from inside it.
    this.#controller?.pause();
    this.#controller?.abort(new EndpointError('cancelled', 'aborted'));
    this.#connection?.destroy();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const guard = this.#connection?.guard ?? null;
    if (this.#isOver || this.#guard !== null || guard === null) {
      // undici begins a request anew in rare cases; what may have been sent once is never sent twice unasked.
      controller.abort(new EndpointError(this.#guard === null ? 'internal' : 'reset', 'began twice'));
      return;
    }
    this.#controller = controller;
    this.#guard = guard;
    const { method, target } = this.#request.head;
    guard.begin(methodNumber(method), this, target === '*');
    this.#isReused = guard.isReused;
    this.#events.onLease(guard.isReused);
    if (this.#body !== null && !this.#isOver) this.#events.onBodyWanted();
  }

  onInterim(head: EndpointResponseHead): void {
    if (!this.#isOver) this.#events.onInterim(head);
  }

  onResponseStart(): void {
    const head = this.#guard?.finalHead;
    if (this.#isOver || head === undefined || head === null) return;
    this.#events.onHead(head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#isPaused) this.#held.push(chunk);
    else if (!this.#events.onData(chunk) && !this.#isOver) {
      this.#isPaused = true;
      controller.pause();
    }
  }

  onResponseEnd(): void {
    this.#guard?.settle();
    this.#connection = null;
    if (this.#isOver) return;
    if (this.#held.length > 0) this.#hasEnded = true;
    else this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) {
      rethrowOwn(error);
      return;
    }
    const failure = failureOfError(error, {
      wasSent: this.#guard?.wasSent ?? false,
      isReused: this.#isReused,
      hasReceived: this.#guard?.hasReceived ?? false,
      hasHead: (this.#guard?.finalHead ?? null) !== null,
    });
    this.#finish();
    if (failure.kind === 'unsendable-request' && this.#guard === null) this.#connection?.giveBack();
    else this.#connection?.destroy();
    this.#events.onFailure(failure);
  }

  readonly #onBodyDrain = (): void => {
    if (!this.#isOver) this.#events.onEndpointDrain();
  };

  readonly #resumeNow = (): void => {
    this.#isResumeDue = false;
    if (this.#isOver) return;
    this.#isPaused = false;
    while (this.#held.length > 0) {
      const chunk = this.#held.shift()!;
      const takesMore = this.#events.onData(chunk);
      if (this.#isOver) return;
      if (!takesMore) {
        this.#isPaused = true;
        return;
      }
    }
    if (this.#hasEnded) this.#end();
    else this.#controller?.resume();
  };

  #dispatch(): void {
    const { head } = this.#request;
    const fault = this.#unsendableBecause();
    if (fault !== null) {
      this.#finish();
      this.#events.onFailure(failureOf('unsendable-request', false, new Error(fault)));
      return;
    }
    const headers = requestFields(this.#request);
    if (head.bodyLength > 0) headers.push('Content-Length', String(head.bodyLength));
    const connection = this.#lease();
    this.#connection = connection;
    const path = head.target === '*' ? ASTERISK_STAND_IN : head.target;
    connection.client.dispatch({ path, method: head.method, headers, body: this.#body }, this);
  }

  /** What undici can't send, or would take for something else; it refuses the rest itself. */
  #unsendableBecause(): string | null {
    const { method, target } = this.#request.head;
    if (method === 'CONNECT') return 'CONNECT asks for a tunnel';
    if (target === '*' && method === 'OPTIONS') return null;
    return target.startsWith('/') ? null : 'the target is not in origin-form';
  }

  #end(): void {
    this.#finish();
    this.#events.onEnd(this.#guard?.trailers ?? null);
  }

  #finish(): void {
    this.#isOver = true;
    this.#held = [];
    this.#body?.destroy();
  }
}

/** undici catches what the exchange throws in an event; after the last event nobody would hear of it. */
function rethrowOwn(error: Error): void {
  if (error instanceof EndpointError || codeOf(error) !== '') return;
  queueMicrotask(() => {
    throw error;
  });
}
