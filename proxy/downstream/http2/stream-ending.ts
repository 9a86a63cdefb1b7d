// The end of one HTTP/2 stream: END_STREAM of either side, resets, and the last events of its exchange. Thread: worker.

import type { ClientEvents, ClientGone } from '../../../core/exchange-contract.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import { NO_EXCHANGE } from '../downstream-context.ts';
import type { Http2RequestBody } from './http2-request-body.ts';
import type { Http2Response } from './http2-response.ts';

/** The stream, as its end uses it. */
export interface EndingStream {
  readonly body: Http2RequestBody;
  readonly response: Http2Response;
  /** Adds RST_STREAM. */
  addReset(code: ErrorCode): void;
  /** No frame of the stream follows. */
  frameless(): void;
  /** The exchange has ended, and nothing refers to the stream any more. */
  reusable(): void;
}

export class StreamEnding {
  /** Receives the events of the stream. */
  events: ClientEvents = NO_EXCHANGE;
  /** Both sides have ended, or RST_STREAM was sent or received: no frame may follow. */
  isClosed = true;
  /** The exchange gets no event any more, and sends nothing. */
  isOver = true;
  /** The sides of a tunnel end one by one (RFC 8441 section 5). */
  isTunnel = false;
  /** The request body goes on after the end of the response, until it is released. */
  isBodyKept = false;
  readonly #stream: EndingStream;
  /** The client's body failed, which was reported. */
  #isBroken = false;
  /** END_STREAM was added, and what the client sends is still taken. */
  #isHalfClosed = false;
  /** The last frame of ours was handed to the system. */
  #isFlushed = false;

  constructor(stream: EndingStream) {
    this.#stream = stream;
  }

  /** Begins another request. */
  begin(): void {
    this.isClosed = false;
    this.isOver = false;
    this.isTunnel = false;
    this.isBodyKept = false;
    this.#isBroken = false;
    this.#isHalfClosed = false;
    this.#isFlushed = false;
  }

  /** Whether the body may go on after the end of the response. */
  get keepsBody(): boolean {
    return this.isTunnel || this.isBodyKept;
  }

  // ---- both sides have ended

  /** Our END_STREAM was added. */
  responseEnded(): void {
    if (this.isBodyKept || (this.isTunnel && this.#stream.body.isOpen)) this.#isHalfClosed = true;
    else this.#closeEnded();
  }

  /** The client's side may have ended. */
  bodyTaken(): void {
    if (!this.#isHalfClosed || this.isBodyKept || this.#stream.body.isOpen) return;
    this.#isHalfClosed = false;
    this.#closeEnded();
    if (this.#isFlushed) this.responseFlushed();
  }

  /** Nothing more of the client is taken: it is stopped once it has our END_STREAM. */
  releaseBody(): void {
    if (this.isOver) return;
    this.isTunnel = false;
    this.isBodyKept = false;
    this.#stream.body.discard();
    this.bodyTaken();
  }

  responseFlushed(): void {
    this.#isFlushed = true;
    if (this.isOver || this.#isHalfClosed) return;
    this.isOver = true;
    this.events.onResponseFlushed();
    this.events = NO_EXCHANGE;
    this.#stream.reusable();
  }

  /** A client that is still sending its body is stopped by NO_ERROR (RFC 9113 section 8.1). */
  #closeEnded(): void {
    if (!this.#stream.body.isComplete) this.#stream.addReset(ErrorCode.NO_ERROR);
    this.isClosed = true;
    this.#release();
    this.#stream.frameless();
  }

  // ---- the stream is reset

  /** A malformed message, or a fault of flow control: the stream is reset, and the exchange ends (RFC 9113 section 8.1.1). */
  fail(code: ErrorCode): void {
    if (this.isClosed) return;
    this.#closeBy(code);
    this.bodyFailed('malformed-body');
    if (this.isOver) return;
    this.isOver = true;
    this.events.onResponseFlushed();
  }

  /** RST_STREAM of the client, or the end of its connection. */
  lost(): void {
    this.isClosed = true;
    this.#release();
    if (this.isOver) return;
    this.isOver = true;
    // A broken request was reported once already: its end is all that is left to report.
    if (this.#isBroken) this.events.onResponseFlushed();
    else this.events.onClientGone('closed');
  }

  /** The exchange cuts its client. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#closeBy(ErrorCode.INTERNAL_ERROR);
  }

  /** Resets the stream and ends the exchange. */
  abort(why: ClientGone): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#closeBy(ErrorCode.INTERNAL_ERROR);
    this.events.onClientGone(why);
  }

  /** The rest of the body is of no use. */
  bodyFailed(why: ClientGone): void {
    if (this.isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.#stream.body.discard();
    if (!this.#stream.response.isEnded || this.keepsBody) this.events.onClientGone(why);
  }

  #closeBy(code: ErrorCode): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#release();
    this.#stream.addReset(code);
    this.#stream.frameless();
  }

  #release(): void {
    this.#stream.response.drop();
    this.#stream.body.release();
  }
}
