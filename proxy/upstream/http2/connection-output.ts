// The output of one HTTP/2 connection: frames gathered in one write a turn, the connection's send window, and the streams that
// wait for it. Thread: worker.

import type { FieldList } from '../../../core/head.ts';
import type { ErrorCode } from '../../http2/error-code.ts';
import { SendWindow } from '../../http2/flow-window.ts';
import { CONNECTION_PREFACE } from '../../http2/frame-format.ts';
import { FrameWriter } from '../../http2/frame-writer.ts';
import { HpackEncoder } from '../../http2/hpack-encoder.ts';
import type { PeerSettings } from '../../http2/settings.ts';
import type { Flushable } from '../../wire/turn.ts';
import type { EndpointSocket } from '../http1/endpoint-socket.ts';
import type { Http2Parts } from './http2-parts.ts';
import { http2Trailers } from './request-fields.ts';
import type { BodyOutlet } from './stream-sender.ts';

/** The window of a connection before any WINDOW_UPDATE. */
const INITIAL_WINDOW_BYTES = 65_535;

/** Answers to SETTINGS and PING that may wait for a socket that takes nothing: an endpoint sends a few in a minute. */
const MAX_WAITING_ANSWERS = 1000;

/** A stream that waits for a window or the socket. */
export interface Pumpable {
  /** Sends what waits. @returns whether all of it was sent */
  pump(): boolean;
}

export class ConnectionOutput implements BodyOutlet, Flushable {
  readonly #socket: EndpointSocket;
  readonly #parts: Http2Parts;
  readonly #writer: FrameWriter;
  /** Without a dynamic table: requests of different clients would share it (RFC 7541 section 7.1). */
  readonly #encoder = new HpackEncoder(0);
  readonly #window = new SendWindow(INITIAL_WINDOW_BYTES);
  /** In the order of their turns. */
  readonly #blocked = new Set<Pumpable>();
  #isFlushDue = false;
  #waitingAnswers = 0;
  #isClosed = false;

  constructor(socket: EndpointSocket, parts: Http2Parts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#writer = new FrameWriter(parts.frames);
  }

  /** Sends the preface (section 3.4). @param settings identifiers and values in turn */
  open(settings: readonly number[], windowBytes: number): void {
    this.#writer.addBytes(CONNECTION_PREFACE);
    this.#writer.addSettings(settings);
    this.#writer.addWindowUpdate(0, windowBytes - INITIAL_WINDOW_BYTES);
    this.#flushLater();
  }

  get roomBytes(): number {
    return !this.#isClosed && this.#socket.hasRoom ? this.#window.available : 0;
  }

  /** Applies the endpoint's settings and acknowledges them. @returns false if too many answers wait */
  acknowledge(peer: PeerSettings): boolean {
    this.#writer.maxFrameBytes = peer.maxFrameBytes;
    this.#encoder.setPeerTableBytes(peer.headerTableBytes);
    this.#writer.addSettingsAck();
    return this.#answerLater();
  }

  /** Answers a PING. @returns false if too many answers wait */
  answerPing(bytes: Uint8Array, start: number): boolean {
    this.#writer.addPing(true, bytes, start);
    return this.#answerLater();
  }

  writePing(payload: Uint8Array): void {
    this.#writer.addPing(false, payload, 0);
    this.#flushLater();
  }

  writeHead(stream: number, isLast: boolean, fields: FieldList): void {
    const block = this.#encoder.encode(fields);
    this.#writer.addHeaders(stream, isLast, block, 0, block.length);
    this.#flushLater();
  }

  writeData(stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.#window.spend(end - start);
    this.#writer.addData(stream, false, bytes, start, end);
    this.#flushLater();
  }

  writeEnd(stream: number, trailers: FieldList | null): void {
    const fields = trailers === null ? [] : http2Trailers(trailers);
    if (fields.length > 0) return this.writeHead(stream, true, fields);
    this.#writer.addData(stream, true, CONNECTION_PREFACE, 0, 0);
    this.#flushLater();
  }

  writeReset(stream: number, code: ErrorCode): void {
    this.#writer.addReset(stream, code);
    this.#flushLater();
  }

  /** @param stream 0 is the connection */
  writeCredit(stream: number, creditBytes: number): void {
    this.#writer.addWindowUpdate(stream, creditBytes);
    this.#flushLater();
  }

  /** Adds credit to the connection's window. @returns false beyond the largest window */
  widen(creditBytes: number): boolean {
    return this.#window.adjust(creditBytes);
  }

  block(stream: Pumpable): void {
    this.#blocked.add(stream);
  }

  unblock(stream: Pumpable): void {
    this.#blocked.delete(stream);
  }

  /** Pumps one stream, if it waits. */
  pump(stream: Pumpable): void {
    if (!this.#blocked.delete(stream)) return;
    // Behind the others: streams take turns at the connection's window.
    if (!stream.pump()) this.#blocked.add(stream);
  }

  /** Pumps all streams that wait, each once. */
  pumpAll(): void {
    for (const stream of Array.from(this.#blocked)) {
      if (this.roomBytes === 0) return;
      this.pump(stream);
    }
  }

  /** The socket takes more. */
  drained(): void {
    this.flush();
    this.pumpAll();
  }

  /** Writes what was gathered; while the socket takes nothing, it goes on gathering. */
  flush(): void {
    this.#isFlushDue = false;
    if (this.#writer.length > 0 && !this.#isClosed && this.#socket.hasRoom) this.#write();
  }

  /** Sends GOAWAY, and nothing after it. */
  close(code: ErrorCode): void {
    if (this.#isClosed) return;
    this.#writer.addGoaway(0, code);
    this.#write();
    this.drop();
  }

  /** Discards what waits: the connection is lost. */
  drop(): void {
    this.#isClosed = true;
    this.#writer.drop();
    this.#blocked.clear();
  }

  #write(): void {
    const { length } = this.#writer;
    const buffer = this.#writer.take();
    this.#waitingAnswers = 0;
    this.#socket.write(buffer.subarray(0, length));
    if (!this.#parts.memory.wasKept(buffer)) this.#parts.frames.give(buffer);
  }

  #answerLater(): boolean {
    this.#waitingAnswers += 1;
    this.#flushLater();
    return this.#waitingAnswers <= MAX_WAITING_ANSWERS;
  }

  #flushLater(): void {
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    this.#parts.turn.later(this);
  }
}
