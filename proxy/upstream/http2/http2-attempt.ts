// One attempt over HTTP/2, which is one stream: the exchange's handle on one side, the connection's on the other.
// Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest } from '../../../core/exchange-contract.ts';
import { type Failure, type FailureKind, failureOf } from '../../../core/failure.ts';
import { type FieldList, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import { ErrorCode, errorName } from '../../http2/error-code.ts';
import type { ConnectionOutput } from './connection-output.ts';
import { StreamReceiver } from './stream-receiver.ts';
import { Sent, StreamSender } from './stream-sender.ts';

/** The connection of a stream. */
export interface StreamHost {
  readonly output: ConnectionOutput;
  /** Bytes received so far, of all streams. */
  readonly receivedBytes: number;
  nowMs(): number;
  returnCredit(stream: number, creditBytes: number): void;
  /** Closes a stream from our side, unless it is closed on both. */
  reset(stream: number, code: ErrorCode): void;
  /** The stream is closed on both sides. */
  forget(attempt: Http2Attempt): void;
  /** The exchange has cancelled an attempt that had begun at `sinceMs` and got nothing. */
  doubt(sinceMs: number): void;
  onFault(kind: FailureKind, reason: string): void;
  /** Adds to a field of the endpoint's block. @param field of ENDPOINT_FIELD */
  count(field: number, amount: number): void;
  /** Runs events of an exchange inside a turn. */
  inTurn(run: () => void): void;
}

/** Where an attempt waits for a connection. */
export interface WaitingRoom {
  leave(attempt: Http2Attempt): void;
}

/** Method of a tunnel, as rules of its response know it. */
const CONNECT = 'CONNECT';

export class Http2Attempt implements AttemptHandle {
  readonly protocol = 'http2';
  readonly request: AttemptRequest;
  readonly events: AttemptEvents;
  /** Whether chunks of the response are used within the event that brings them. */
  readonly isImmediate: boolean;
  /** The header list of the request. */
  readonly fields: FieldList;
  /** Whether the stream is a tunnel (RFC 8441): its sides end one by one, and `onFailure` may follow `onEnd`. */
  readonly isTunnel: boolean;
  /** Set while the attempt waits for a connection. */
  waiting: WaitingRoom | null = null;
  /** 0 before the head is sent. */
  stream = 0;
  /** The last event was emitted, or the exchange has cancelled the attempt. */
  isOver = false;
  readonly #receiver = new StreamReceiver();
  #sender: StreamSender | null = null;
  #host: StreamHost | null = null;
  /** Bytes that the connection had received when the request was sent. */
  #receivedBefore = 0;
  #beganMs = 0;
  /** Whether the connection was idle when the request was sent: the endpoint may have been closing it. */
  #wasIdle = false;

  constructor(request: AttemptRequest, events: AttemptEvents, isImmediate: boolean, fields: FieldList) {
    this.request = request;
    this.events = events;
    this.isImmediate = isImmediate;
    this.fields = fields;
    this.isTunnel = fields[1] === CONNECT;
  }

  /** Leases a connection. @returns whether the exchange still wants the attempt */
  lease(host: StreamHost, isReused: boolean): boolean {
    this.waiting = null;
    this.#host = host;
    this.events.onLease(isReused);
    return !this.isOver;
  }

  /** The head was sent on `stream`. @param windowBytes the endpoint's initial window */
  begin(stream: number, windowBytes: number, wasIdle: boolean): void {
    this.stream = stream;
    this.#wasIdle = wasIdle;
    this.#receivedBefore = this.#host!.receivedBytes;
    this.#beganMs = this.#host!.nowMs();
    this.#sender = new StreamSender(windowBytes, this.isTunnel ? UNKNOWN_LENGTH : this.request.head.bodyLength);
    if (!this.#sender.isEnded) this.events.onBodyWanted();
  }

  // ---- AttemptHandle

  sendBody(chunk: Uint8Array): boolean {
    const sender = this.#sender;
    const host = this.#host;
    if (sender === null || host === null || sender.isEnded || chunk.byteLength === 0) return true;
    const sent = sender.add(host.output, this.stream, chunk);
    if (sent === Sent.WRONG_LENGTH) this.#cancel('unsendable-request', 'the body is longer than announced');
    if (sent === Sent.WRONG_LENGTH || (sent === Sent.ALL && host.output.roomBytes > 0)) return true;
    sender.owesDrain = true;
    host.output.block(this);
    return false;
  }

  endBody(trailers: FieldList | null): void {
    const sender = this.#sender;
    const host = this.#host;
    if (sender === null || host === null || sender.isEnded) return;
    const sent = sender.end(host.output, this.stream, trailers);
    if (sent === Sent.WRONG_LENGTH) this.#cancel('unsendable-request', 'the body is shorter than announced');
    else if (sent === Sent.HELD) host.output.block(this);
    else if (this.#receiver.isEnded) this.#leave();
  }

  resume(): void {
    const receiver = this.#receiver;
    if (this.isOver || !receiver.isStopped) return;
    receiver.isStopped = false;
    const held = receiver.release();
    const run = (): void => {
      if (held.length > 0) this.#pass(held, true);
      else this.#returnCredit(0);
      if (receiver.isEnded && !receiver.isStopped) this.#complete();
    };
    if (this.#host === null) run();
    else this.#host.inTurn(run);
  }

  abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.waiting?.leave(this);
    const host = this.#host;
    if (host === null || this.stream === 0) return;
    this.#close(ErrorCode.CANCEL);
    host.doubt(this.#beganMs);
  }

  // ---- the connection

  /** Sends what waits. @returns whether all of it was sent */
  pump(): boolean {
    const sender = this.#sender;
    const host = this.#host;
    if (sender === null || host === null || this.isOver) return true;
    if (sender.pump(host.output, this.stream) === Sent.HELD) return false;
    if (sender.isDone && this.#receiver.isEnded) this.#leave();
    if (sender.takeDrain(host.output)) this.events.onEndpointDrain();
    return !sender.owesDrain;
  }

  /** A changed window of this stream. @returns false beyond the largest window */
  adjustWindow(deltaBytes: number): boolean {
    return this.#sender!.window.adjust(deltaBytes);
  }

  /** @param fields as decoded; null if the list is beyond the limit */
  onHeaders(fields: FieldList | null, isLast: boolean): void {
    const receiver = this.#receiver;
    if (fields === null) return this.reject('header list too large', ErrorCode.CANCEL, 'head-too-large');
    const head = receiver.takeHeaders(fields, this.isTunnel ? CONNECT : this.request.head.method, isLast);
    if (receiver.fault !== '') return this.reject(receiver.fault, receiver.faultCode);
    if (head !== null && head.status < 200) return this.events.onInterim(head);
    if (head !== null) this.events.onHead(head);
    if (receiver.isEnded) this.#remoteEnd();
  }

  /** A DATA frame begins. */
  onDataStart(flowBytes: number): void {
    if (!this.#receiver.takeFrame(flowBytes)) this.reject(this.#receiver.fault, this.#receiver.faultCode);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const receiver = this.#receiver;
    if (!receiver.takeData(end - start)) this.reject(receiver.fault);
    else if (receiver.isStopped) receiver.hold(bytes, start, end);
    else this.#pass(bytes.subarray(start, end), this.isImmediate);
  }

  /** A DATA frame has ended. */
  onDataEnd(paddingBytes: number, isLast: boolean): void {
    if (paddingBytes > 0) this.#returnCredit(paddingBytes);
    if (!isLast) return;
    if (this.#receiver.takeEnd(null)) this.#remoteEnd();
    else this.reject(this.#receiver.fault);
  }

  onReset(code: number): void {
    const { hasHead } = this.#receiver;
    this.#host?.count(ENDPOINT_FIELD.http2ResetsReceived, 1);
    // The endpoint may end a request whose response is whole (RFC 9113 section 8.1).
    if (endsWell(this.isTunnel, this.#receiver, this.#sender)) return this.#leave();
    if (this.#receiver.takeReset(code)) {
      this.#sender!.abandon();
      return this.#remoteEnd();
    }
    const reason = `the endpoint reset the stream: ${errorName(code)}`;
    if (code === ErrorCode.REFUSED_STREAM && !hasHead) return this.refuse(reason);
    this.#close(null);
    this.fail(failureOf(hasHead ? 'truncated' : 'reset', true, new Error(reason)));
  }

  /** The endpoint has not processed the request (RFC 9113 section 8.7). */
  refuse(reason: string): void {
    this.#host?.count(ENDPOINT_FIELD.http2StreamsRefused, 1);
    this.#close(null);
    this.fail(failureOf('refused-stream', false, new Error(reason)));
  }

  /** The connection has ended. A response that is whole goes on to a client that reads slowly. */
  lose(kind: FailureKind | null, reason: string): void {
    const hasReceived = (this.#host?.receivedBytes ?? 0) > this.#receivedBefore;
    const isWhole = endsWell(this.isTunnel, this.#receiver, this.#sender);
    this.#host = null;
    this.#sender?.abandon();
    if (isWhole) return this.#leave();
    const loss = this.#receiver.hasHead ? 'truncated' : this.#wasIdle && !hasReceived ? 'stale-connection' : 'reset';
    this.#receiver.discard();
    this.fail(failureOf(kind ?? loss, this.stream !== 0, new Error(reason)));
  }

  /** Emits the last event: the attempt failed. */
  fail(failure: Failure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.events.onFailure(failure);
  }

  // ---- the end

  #pass(bytes: Buffer, mayLend: boolean): void {
    const receiver = this.#receiver;
    receiver.isStopped = !this.events.onData(mayLend ? bytes : Buffer.from(bytes));
    this.#returnCredit(bytes.length);
  }

  #returnCredit(sizeBytes: number): void {
    const credit = this.#receiver.credit(sizeBytes);
    if (credit > 0 && !this.isOver) this.#host?.returnCredit(this.stream, credit);
  }

  /** The request has ended after its response: all of it was sent, or the endpoint takes no more. */
  #leave(): void {
    this.#close(null);
    if (this.isOver || this.#receiver.isStopped) return;
    this.isOver = true;
    if (!this.isTunnel) this.events.onEnd(null);
  }

  #remoteEnd(): void {
    if (this.isOver) return;
    if (this.#sender!.isDone) this.#host?.forget(this);
    if (!this.#receiver.isStopped) this.#complete();
  }

  /** Unless the rest of the request is to follow, a client that still sends is stopped. */
  #complete(): void {
    if (this.isOver) return;
    const { trailers } = this.#receiver;
    const mayReadOn = this.#host !== null && !this.#sender!.isDone && !this.isTunnel;
    if (mayReadOn && this.events.onEarlyEnd?.(trailers) === true) return;
    this.isOver = this.#sender!.isDone || !this.isTunnel;
    if (this.#sender!.isDone) this.#host = null;
    else if (!this.isTunnel) this.#close(ErrorCode.NO_ERROR);
    this.events.onEnd(trailers);
  }

  /** A fault of this stream only. */
  reject(reason: string, code: ErrorCode = ErrorCode.PROTOCOL_ERROR, kind: FailureKind = 'malformed-response'): void {
    this.#host?.onFault(kind, reason);
    this.#cancel(kind, reason, code);
  }

  #cancel(kind: FailureKind, reason: string, code: ErrorCode = ErrorCode.CANCEL): void {
    this.#close(code);
    this.fail(failureOf(kind, true, new Error(reason)));
  }

  /** Leaves the connection. @param code resets the stream; null where the endpoint has closed it */
  #close(code: ErrorCode | null): void {
    const host = this.#host;
    if (host === null) return;
    this.#host = null;
    this.#sender?.abandon();
    if (!this.#receiver.isEnded) this.#receiver.discard();
    if (code !== null) host.reset(this.stream, code);
    host.forget(this);
  }
}

/** Whether an attempt ends well without the endpoint: a tunnel that is half-closed may still send to it. */
function endsWell(isTunnel: boolean, receiver: StreamReceiver, sender: StreamSender | null): boolean {
  return receiver.isEnded && (!isTunnel || receiver.isStopped || sender!.isDone);
}
