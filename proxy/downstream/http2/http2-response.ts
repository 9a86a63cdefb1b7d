// Response of one HTTP/2 stream as frames: flow control, what waits for a window or for room, and END_STREAM.
// Thread: worker.

import type { LocalReply } from '../../../core/exchange-contract.ts';
import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { DEFAULT_MAX_FRAME_BYTES } from '../../http2/frame-format.ts';
import { SendWindow } from '../../http2/flow-window.ts';
import type { FrameMemory } from '../../http2/frame-writer.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { Added } from '../added.ts';
import { LocalReplyHead } from '../local-reply-head.ts';
import type { Http2Output, WaitingStream } from './http2-output.ts';
import { PendingBytes } from './pending-bytes.ts';
import { type Priority, readPriority } from './priority.ts';

/** The stream of a response. */
export interface ResponseOwner {
  readonly head: ScannedRequestHead;
  readonly output: Http2Output;
  /** Adds a header block. */
  addHead(head: ResponseHead, extra: FieldList): void;
  /** Adds trailers, which end the stream. @returns false where none of them may be sent */
  addTrailers(trailers: FieldList): boolean;
  /** DATA of so many bytes has been added. */
  dataAdded(sizeBytes: number): void;
  /** More may be added. */
  responseDrained(): void;
  /** END_STREAM has been added. */
  responseEnded(): void;
  /** The last frame has been handed to the system. */
  responseFlushed(): void;
  /** The connection has closed before that. */
  lost(): void;
}

export class Http2Response implements WaitingStream {
  id = 0;
  /** Bytes of the body that have been added as DATA. */
  sentBytes = 0;
  isHeadSent = false;
  /** The whole response has been given: no more is taken. */
  isEnded = false;
  readonly #owner: ResponseOwner;
  readonly #output: Http2Output;
  readonly #window = new SendWindow(0);
  #isHeadRequest = false;
  #hasNoBody = false;
  /** Bytes of a declared length that have not been given; UNKNOWN_LENGTH if none is declared. */
  #owedBytes = UNKNOWN_LENGTH;
  #trailers: FieldList | null = null;
  /** Body bytes that wait for a window or for room. */
  readonly #pending: PendingBytes;
  #isWaiting = false;
  #isStalled = false;
  #priority: Priority | null = null;

  constructor(owner: ResponseOwner, memory: FrameMemory) {
    this.#owner = owner;
    this.#output = owner.output;
    this.#pending = new PendingBytes(memory);
  }

  /** Begins another stream. @param windowBytes the client's initial window */
  begin(id: number, windowBytes: number, isHeadRequest: boolean): void {
    this.id = id;
    this.sentBytes = 0;
    this.isHeadSent = false;
    this.isEnded = false;
    this.#window.reset(windowBytes);
    this.#isHeadRequest = isHeadRequest;
    this.#hasNoBody = false;
    this.#owedBytes = UNKNOWN_LENGTH;
    this.#trailers = null;
    this.#priority = null;
  }

  /** Whether the client must open the stream's window before anything more is sent. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  addHead(head: ResponseHead, extra: FieldList): void {
    const { status } = head;
    this.isHeadSent = true;
    this.#hasNoBody = this.#isHeadRequest || status === 204 || status === 205 || status === 304;
    if (head.hasLength && !this.#hasNoBody) this.#owedBytes = head.bodyLength;
    this.#owner.addHead(head, extra);
  }

  addData(chunk: Uint8Array): Added {
    const size = chunk.byteLength;
    if (this.isEnded || this.#hasNoBody || size === 0) return Added.ROOM;
    if (this.#owedBytes !== UNKNOWN_LENGTH) {
      // More than was declared: the client must not take it for part of the body.
      if (size > this.#owedBytes) return Added.OVERRUN;
      this.#owedBytes -= size;
    }
    const isFirst = this.#pending.length === 0 && this.#output.isFree;
    const sent = isFirst ? this.#transmit(chunk, 0, size) : 0;
    if (sent < size) this.#pending.add(chunk, sent);
    else if (this.#output.hasRoom) return Added.ROOM;
    this.#wait();
    return Added.FULL;
  }

  /** Ends the response. @returns false where it is shorter than declared: the client must not take it for the whole */
  addEnd(trailers: FieldList | null): boolean {
    if (!this.isHeadSent || this.#owedBytes > 0) return false;
    this.#trailers = this.#hasNoBody ? null : trailers;
    this.#end();
    return true;
  }

  addLocalReply(reply: LocalReply): void {
    this.addHead(new LocalReplyHead(reply), []);
    this.addData(reply.body);
    this.#end();
  }

  /** The client's window has changed. @returns false beyond the largest window */
  addWindow(deltaBytes: number): boolean {
    if (!this.#window.adjust(deltaBytes)) return false;
    if (this.#isStalled && this.#window.available > 0) {
      this.#isStalled = false;
      this.#wait();
    }
    return true;
  }

  /** The client has stated another priority. */
  setPriority(priority: Priority): void {
    this.#priority = priority;
  }

  /** Drops what has not been added as frames: the stream is closed. */
  drop(): void {
    if (this.#isWaiting) this.#output.forget(this);
    this.#isWaiting = false;
    this.#isStalled = false;
    this.#pending.clear();
  }

  // ---- WaitingStream

  get urgency(): number {
    return this.#rank.urgency;
  }

  get isIncremental(): boolean {
    return this.#rank.isIncremental;
  }

  pump(): void {
    this.#isWaiting = false;
    const pending = this.#pending;
    if (pending.length > 0) {
      const { bytes, start, end } = pending;
      const to = this.isIncremental ? Math.min(end, start + DEFAULT_MAX_FRAME_BYTES) : end;
      pending.consumeTo(start + this.#transmit(bytes, start, to));
      if (pending.length > 0) return this.#wait();
    }
    if (this.isEnded) this.#finish();
    else this.#owner.responseDrained();
  }

  flushed(): void {
    this.#owner.responseFlushed();
  }

  lost(): void {
    this.#owner.lost();
  }

  /** Read on demand: most responses never wait. */
  get #rank(): Priority {
    return (this.#priority ??= readPriority(this.#owner.head));
  }

  /** Adds DATA as far as windows and room allow. @returns how many bytes were added */
  #transmit(bytes: Uint8Array, start: number, end: number): number {
    const output = this.#output;
    const { window, writer } = output;
    const size = Math.min(end - start, this.#window.available, window.available, output.room);
    if (size <= 0) return 0;
    this.sentBytes += size;
    this.#window.spend(size);
    window.spend(size);
    writer.addData(this.id, false, bytes, start, start + size);
    this.#owner.dataAdded(size);
    output.touch();
    return size;
  }

  #wait(): void {
    if (this.#isWaiting || this.#isStalled) return;
    if (this.#pending.length > 0 && this.#window.available === 0) this.#isStalled = true;
    else {
      this.#isWaiting = true;
      this.#output.wait(this);
    }
  }

  #end(): void {
    this.isEnded = true;
    if (this.#pending.length === 0) this.#finish();
  }

  #finish(): void {
    const hasTrailers = this.#trailers !== null && this.#owner.addTrailers(this.#trailers);
    if (!hasTrailers) this.#output.writer.endStream(this.id);
    this.#output.ends(this);
    this.#owner.responseEnded();
  }
}
