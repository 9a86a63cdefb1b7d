// Frames of one client connection: the states of its streams (RFC 9113 section 5.1), flow control, and SETTINGS.
// Thread: worker.

import type { LocalReply, Unparsable } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import type { AbuseLimits } from '../../http2/abuse-limits.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import type { FrameSink } from '../../http2/frame-reader.ts';
import { ReceiveWindow } from '../../http2/flow-window.ts';
import type { RequestReader } from '../../http2/request-reader.ts';
import { PeerSettings } from '../../http2/settings.ts';
import type { TrustedOnlyFields } from '../trusted-only-fields.ts';
import type { Http2Output } from './http2-output.ts';
import type { Http2Stream } from './http2-stream.ts';
import { CONNECTION_WINDOW_BYTES } from './receive-budget.ts';
import { Closed, type StreamTable } from './stream-table.ts';

/** Streams that a client may have open. A browser shows a page with fewer; more than it needs are no help. */
export const MAX_STREAMS = 256;

const CALM = ErrorCode.ENHANCE_YOUR_CALM;

/** The connection, as its frames use it. */
export interface FrameHost {
  readonly output: Http2Output;
  readonly streams: StreamTable;
  readonly reader: RequestReader;
  readonly limits: AbuseLimits;
  /** Fields that the client may not send; null for a trusted proxy. */
  readonly trustedOnly: TrustedOnlyFields | null;
  /** Whether new streams are served: not after the last GOAWAY. */
  readonly isAccepting: boolean;
  newStream(): Http2Stream;
  /** A stream has begun. */
  streamBegan(): void;
  /** The client has reset a stream. */
  streamClosed(stream: Http2Stream): void;
  /** Counts and logs a request that isn't served. */
  refuse(why: Unparsable): LocalReply;
  addReset(stream: number, code: ErrorCode): void;
  onPingAck(): void;
  onClientGoaway(): void;
  fail(code: ErrorCode, reason: string): void;
}

export class Http2Frames implements FrameSink {
  readonly #host: FrameHost;
  readonly #settings = new PeerSettings();
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES);
  /** The stream of the DATA frame that is being read; null where its bytes are ignored. */
  #dataStream: Http2Stream | null = null;
  /** Bytes of that frame that are padding, or were not read yet. */
  #paddingBytes = 0;
  #frameBytes = 0;

  constructor(host: FrameHost) {
    this.#host = host;
  }

  // ---- DATA

  onDataStart(id: number, flowBytes: number): void {
    const { streams } = this.#host;
    this.#dataStream = null;
    if (!this.#window.receive(flowBytes)) return this.#fail(ErrorCode.FLOW_CONTROL_ERROR, 'DATA beyond the window');
    this.#returnCredit(flowBytes);
    const stream = streams.open.get(id);
    if (stream === undefined) return this.#dataOnClosed(id);
    if (stream.body.isComplete) return this.#failStream(stream, ErrorCode.STREAM_CLOSED);
    if (!stream.body.window.receive(flowBytes)) return this.#failStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    this.#dataStream = stream;
    this.#paddingBytes = flowBytes;
    this.#frameBytes = 0;
  }

  onData(id: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#dataStream;
    // An event of the exchange may have closed the stream within the frame.
    if (stream === null || stream.id !== id || stream.isClosed) return;
    this.#paddingBytes -= end - start;
    this.#frameBytes += end - start;
    if (!stream.received(bytes, start, end)) this.#failStream(stream, ErrorCode.PROTOCOL_ERROR);
  }

  onDataEnd(id: number, isEndStream: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null || stream.id !== id || stream.isClosed) return;
    if (!this.#host.limits.mayReceiveData(this.#frameBytes, isEndStream))
      this.#fail(CALM, 'too many small DATA frames');
    else if (isEndStream) this.#complete(stream, null);
    else if (this.#paddingBytes > 0) stream.consumed(this.#paddingBytes);
  }

  /** The connection's credit is returned at once: see CONNECTION_WINDOW_BYTES. */
  #returnCredit(sizeBytes: number): void {
    const credit = this.#window.consume(sizeBytes);
    if (credit === 0) return;
    this.#host.output.writer.addWindowUpdate(0, credit);
    this.#host.output.touch();
  }

  #dataOnClosed(id: number): void {
    const state = this.#host.streams.stateOf(id);
    if (state === Closed.RESET_BY_US) this.#countControl();
    else if (state === Closed.RESET_BY_CLIENT) this.#resetClosed(id, ErrorCode.STREAM_CLOSED);
    else if (state === Closed.IDLE) this.#fail(ErrorCode.PROTOCOL_ERROR, 'DATA on an idle stream');
    else this.#fail(ErrorCode.STREAM_CLOSED, 'DATA on a closed stream');
  }

  // ---- HEADERS

  onHeaders(id: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const { streams } = this.#host;
    const stream = streams.open.get(id);
    if (stream !== undefined) return this.#readTrailers(stream, isEndStream, block, start, end);
    if (id % 2 === 0) return this.#fail(ErrorCode.PROTOCOL_ERROR, 'a stream of a server');
    if (id <= streams.lastId) return this.#headersOnClosed(id, block, start, end);
    streams.lastId = id;
    if (this.#host.isAccepting) this.#beginStream(id, isEndStream, block, start, end);
    else this.#skip(block, start, end);
  }

  #beginStream(id: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const host = this.#host;
    const { streams, reader } = host;
    if (streams.open.size >= MAX_STREAMS) {
      if (!host.limits.mayExceedStreams()) return this.#fail(CALM, 'too many streams');
      if (this.#skip(block, start, end)) host.addReset(id, ErrorCode.REFUSED_STREAM);
      return;
    }
    const stream = streams.takeSpare() ?? host.newStream();
    const { message, framing } = stream.head;
    const fault = reader.read(block, start, end, isEndStream, message, framing);
    if (fault === 'compression') return this.#fail(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    if (fault === 'malformed') {
      host.refuse(fault);
      return this.#resetClosed(id, ErrorCode.PROTOCOL_ERROR);
    }
    host.limits.requestBegan();
    host.trustedOnly?.cutFrom(message);
    streams.open.set(id, stream);
    host.streamBegan();
    const windowBytes = this.#settings.initialWindowBytes;
    if (fault === null) stream.begin(id, isEndStream, windowBytes);
    else {
      stream.refuse(id, isEndStream, windowBytes, host.refuse(fault));
      this.#countFault();
    }
  }

  #readTrailers(stream: Http2Stream, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const { reader } = this.#host;
    const fault = reader.readTrailers(block, start, end);
    if (fault === 'compression') return this.#fail(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    if (stream.body.isComplete) return this.#failStream(stream, ErrorCode.STREAM_CLOSED);
    if (fault !== null || !isEndStream) return this.#failStream(stream, ErrorCode.PROTOCOL_ERROR);
    this.#complete(stream, reader.trailers);
  }

  #headersOnClosed(id: number, block: Uint8Array, start: number, end: number): void {
    const state = this.#host.streams.stateOf(id);
    if (!this.#skip(block, start, end) || state === Closed.RESET_BY_US) return;
    if (state === Closed.RESET_BY_CLIENT) this.#resetClosed(id, ErrorCode.STREAM_CLOSED);
    else this.#fail(ErrorCode.STREAM_CLOSED, 'HEADERS on a closed stream');
  }

  /** Decodes a block that nobody uses: its insertions belong to the table. */
  #skip(block: Uint8Array, start: number, end: number): boolean {
    const isWhole = this.#host.reader.skip(block, start, end) === null;
    if (!isWhole) this.#fail(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    return isWhole;
  }

  // ---- other frames

  onReset(id: number): void {
    const { streams } = this.#host;
    const stream = streams.open.get(id);
    if (stream === undefined) {
      if (streams.stateOf(id) === Closed.IDLE) this.#fail(ErrorCode.PROTOCOL_ERROR, 'RST_STREAM on an idle stream');
      else this.#countControl();
      return;
    }
    if (!this.#host.limits.mayReset(stream.beganMs, stream.response.isHeadSent))
      return this.#fail(CALM, 'too many resets');
    streams.noteReset(id, true);
    stream.lost();
    this.#host.streamClosed(stream);
  }

  onSettings(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#host.limits.maySendSettings()) return this.#fail(CALM, 'too many SETTINGS');
    const settings = this.#settings;
    const { output, streams } = this.#host;
    const windowBytes = settings.initialWindowBytes;
    const error = settings.apply(bytes, start, end);
    if (error !== ErrorCode.NO_ERROR) return this.#fail(error, 'a setting that is out of range');
    output.writer.maxFrameBytes = settings.maxFrameBytes;
    output.writer.addSettingsAck();
    const delta = settings.initialWindowBytes - windowBytes;
    if (delta !== 0) {
      for (const stream of streams.open.values()) {
        if (!stream.response.addWindow(delta))
          return this.#fail(ErrorCode.FLOW_CONTROL_ERROR, 'a window beyond 2^31 - 1');
      }
    }
    this.#answered();
  }

  onSettingsAck(): void {
    // Our settings have no effect that waits for it.
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (!this.#countControl()) return;
    if (isAck) return this.#host.onPingAck();
    this.#host.output.writer.addPing(true, bytes, start);
    this.#answered();
  }

  onGoaway(): void {
    if (this.#countControl()) this.#host.onClientGoaway();
  }

  onWindowUpdate(id: number, increment: number): void {
    if (!this.#countControl()) return;
    const { output, streams } = this.#host;
    if (id === 0) {
      if (!output.window.adjust(increment)) this.#fail(ErrorCode.FLOW_CONTROL_ERROR, 'a window beyond 2^31 - 1');
      else output.pump();
      return;
    }
    const stream = streams.open.get(id);
    if (stream === undefined) {
      if (streams.stateOf(id) === Closed.IDLE) this.#fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
    } else if (!stream.response.addWindow(increment)) this.#failStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    else output.pump();
  }

  onOther(): void {
    this.#countControl();
  }

  onStreamError(id: number, code: ErrorCode): void {
    const stream = this.#host.streams.open.get(id);
    if (stream !== undefined) this.#failStream(stream, code);
    else this.#resetClosed(id, code);
  }

  onConnectionError(code: ErrorCode, reason: string): void {
    this.#fail(code, reason);
  }

  /** Counts a frame that carries nothing of a message. @returns false where there are too many */
  #countControl(): boolean {
    const isAllowed = this.#host.limits.mayControl();
    if (!isAllowed) this.#fail(CALM, 'too many control frames');
    return isAllowed;
  }

  #complete(stream: Http2Stream, trailers: FieldList | null): void {
    if (!stream.complete(trailers)) this.#failStream(stream, ErrorCode.PROTOCOL_ERROR);
  }

  /** Resets a stream for a fault of the client. */
  #failStream(stream: Http2Stream, code: ErrorCode): void {
    stream.fail(code);
    this.#countFault();
  }

  #resetClosed(id: number, code: ErrorCode): void {
    this.#host.addReset(id, code);
    this.#countFault();
  }

  #countFault(): void {
    if (!this.#host.limits.mayFault()) this.#fail(CALM, 'too many faults');
  }

  /** An acknowledgement has been added. */
  #answered(): void {
    const { output } = this.#host;
    if (output.isFlooded) return this.#fail(ErrorCode.ENHANCE_YOUR_CALM, 'acknowledgements are not read');
    output.pump();
    output.touch();
  }

  #fail(code: ErrorCode, reason: string): void {
    this.#host.fail(code, reason);
  }
}
