// One attempt over undici: undici's handler on one side, the exchange's handle on the other. Thread: worker.

import type { Dispatcher } from 'undici';
import type { AttemptEvents, AttemptHandle, AttemptRequest } from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import { codeOf, failureOfError } from '../../../net/failure-of-error.ts';
import type { EndpointResponseHead } from '../endpoint-response-head.ts';
import { methodNumber } from '../response-reader.ts';
import type { GuardedSocket, GuardListener } from './guarded-socket.ts';
import { PLACEHOLDER_REQUEST } from './placeholder.ts';
import type { PooledConnection } from './pooled-connection.ts';

/**
 * No event comes inside `send` or inside a call of the handle: undici's parser may not be re-entered, and the exchange
 * may call from inside another attempt's event.
 */
export class UndiciAttempt implements AttemptHandle, Dispatcher.DispatchHandler, GuardListener {
  readonly #request: AttemptRequest;
  readonly #events: AttemptEvents;
  /** The request's head; null if it can't be sent. */
  readonly #headText: string | null;
  readonly #lease: () => PooledConnection;
  /** From the lease until undici has delivered the whole response. */
  #connection: PooledConnection | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  /** The connection's socket, from the moment the request is written. */
  #guard: GuardedSocket | null = null;
  #isReused = false;
  #isOver = false;
  /** The exchange has stopped the response. */
  #isPaused = false;
  #isResumeDue = false;
  /** Chunks that undici delivered nevertheless. */
  #held: Uint8Array[] = [];
  #hasEnded = false;

  /** @param lease leases the connection, called when the attempt begins */
  constructor(request: AttemptRequest, headText: string | null, events: AttemptEvents, lease: () => PooledConnection) {
    this.#request = request;
    this.#headText = headText;
    this.#events = events;
    this.#lease = lease;
  }

  get protocol(): 'http1' {
    return 'http1';
  }

  /** Begins after the caller's turn. */
  start(): void {
    queueMicrotask(() => {
      if (!this.#isOver) this.#dispatch();
    });
  }

  sendBody(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#guard === null) return true;
    const hasRoom = this.#guard.writer.sendBody(chunk);
    if (hasRoom !== null) return hasRoom;
    this.#failLater('the body is longer than announced');
    return true;
  }

  endBody(trailers: FieldList | null): void {
    if (this.#isOver || this.#guard === null) return;
    if (!this.#guard.writer.endBody(trailers)) this.#failLater('the body is shorter than announced');
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused || this.#isResumeDue) return;
    this.#isResumeDue = true;
    queueMicrotask(this.#resumeNow);
  }

  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    // Paused first, so that undici's parser stops where it is if the call comes from inside it.
    this.#controller?.pause();
    this.#controller?.abort(new EndpointError('cancelled', 'aborted'));
    this.#connection?.destroy();
  }

  // ---- GuardListener

  onHeadSent(): void {
    if (this.#request.head.bodyLength === 0) return;
    queueMicrotask(() => {
      if (!this.#isOver) this.#events.onBodyWanted();
    });
  }

  onSocketDrain(): void {
    if (!this.#isOver && this.#guard?.writer.isEnded === false) this.#events.onEndpointDrain();
  }

  onInterim(head: EndpointResponseHead): void {
    if (!this.#isOver) this.#events.onInterim(head);
  }

  // ---- undici's handler

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const guard = this.#connection?.guard ?? null;
    if (this.#isOver || this.#guard !== null || guard === null) {
      // undici repeats a request in rare cases; only the exchange may send one twice.
      controller.abort(new EndpointError(this.#guard === null ? 'internal' : 'reset', 'undici repeated the request'));
      return;
    }
    this.#controller = controller;
    this.#guard = guard;
    const { method, bodyLength } = this.#request.head;
    guard.begin({ headText: this.#headText!, method: methodNumber(method), bodyLength }, this);
    this.#isReused = guard.isReused;
    this.#events.onLease(guard.isReused);
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
      wasSent: this.#guard?.writer.wasSent ?? false,
      isReused: this.#isReused,
      hasReceived: this.#guard?.hasReceived ?? false,
      hasHead: (this.#guard?.finalHead ?? null) !== null,
    });
    this.#finish();
    this.#connection?.destroy();
    this.#events.onFailure(failure);
  }

  readonly #resumeNow = (): void => {
    this.#isResumeDue = false;
    if (this.#isOver) return;
    this.#isPaused = false;
    while (this.#held.length > 0) {
      const chunk = this.#held.shift()!;
      const hasRoom = this.#events.onData(chunk);
      if (this.#isOver) return;
      if (!hasRoom) {
        this.#isPaused = true;
        return;
      }
    }
    if (this.#hasEnded) this.#end();
    else this.#controller?.resume();
  };

  #dispatch(): void {
    if (this.#headText === null) {
      this.#finish();
      this.#events.onFailure(failureOf('unsendable-request', false));
      return;
    }
    const connection = this.#lease();
    const events = this.#events;
    if (connection.guard === null && events.onDialled) connection.onDialled = (times) => events.onDialled!(times);
    this.#connection = connection;
    connection.client.dispatch(PLACEHOLDER_REQUEST, this);
  }

  #failLater(reason: string): void {
    queueMicrotask(() => {
      if (!this.#isOver) this.#controller?.abort(new EndpointError('unsendable-request', reason));
    });
  }

  #end(): void {
    this.#finish();
    this.#events.onEnd(this.#guard?.trailers ?? null);
  }

  #finish(): void {
    this.#isOver = true;
    this.#held = [];
  }
}

/** undici catches errors that the exchange throws in an event; after the last event nothing would report them. */
function rethrowOwn(error: Error): void {
  if (error instanceof EndpointError || codeOf(error) !== '') return;
  queueMicrotask(() => {
    throw error;
  });
}
