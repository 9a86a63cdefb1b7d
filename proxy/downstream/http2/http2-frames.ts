// Frames of one client connection: the states of its streams (RFC 9113 section 5.1), flow control, and SETTINGS.
// Thread: worker.

import type { Unparsable } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import { readUint31 } from '../../http2/frame-format.ts';
import type { FrameSink } from '../../http2/frame-reader.ts';
import { PeerSettings } from '../../http2/settings.ts';
import { DataFrames } from './data-frames.ts';
import { CALM, FrameFaults, type FrameHost } from './frame-faults.ts';
import type { Http2Stream } from './http2-stream.ts';
import { parsePriority } from './priority.ts';
import { Closed } from './stream-table.ts';

/** RFC 9218 section 7.1. */
const PRIORITY_UPDATE = 0x10;

export class Http2Frames implements FrameSink {
  readonly #host: FrameHost;
  readonly #settings = new PeerSettings();
  readonly #faults: FrameFaults;
  readonly #data: DataFrames;

  constructor(host: FrameHost) {
    this.#host = host;
    this.#faults = new FrameFaults(host);
    this.#data = new DataFrames(host, this.#faults);
  }

  // ---- DATA

  onDataStart(id: number, flowBytes: number): void {
    this.#data.begin(id, flowBytes);
  }

  onData(id: number, bytes: Uint8Array, start: number, end: number): void {
    this.#data.add(id, bytes, start, end);
  }

  onDataEnd(id: number, isEndStream: boolean): void {
    this.#data.end(id, isEndStream);
  }

  // ---- HEADERS

  onHeaders(id: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const { streams } = this.#host;
    const stream = streams.open.get(id);
    if (stream !== undefined) return this.#readTrailers(stream, isEndStream, block, start, end);
    if (id % 2 === 0) return this.#fail(ErrorCode.PROTOCOL_ERROR, 'a stream of a server');
    if (id <= streams.lastId) return this.#headersOnClosed(id, block, start, end);
    streams.lastId = id;
    this.#beginStream(id, isEndStream, block, start, end);
  }

  #beginStream(id: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const host = this.#host;
    const { streams, reader } = host;
    // After the last GOAWAY streams may be ignored (RFC 9113 section 6.8). A reset separates their DATA from that of a closed
    // stream, and clients that missed the GOAWAY repeat the request.
    if (streams.isFull || !host.isAccepting) {
      if (!host.limits.mayExceedStreams()) return this.#fail(CALM, 'too many streams');
      streams.counts.streamRefused();
      if (this.#skip(block, start, end)) host.addReset(id, ErrorCode.REFUSED_STREAM);
      return;
    }
    const stream = streams.takeSpare() ?? host.newStream();
    const { message, framing } = stream.head;
    const fault = reader.read(block, start, end, isEndStream, message, framing) ?? protocolFault(reader.protocol);
    if (fault === 'compression') return this.#fail(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    if (fault === 'malformed') {
      host.refuse(fault);
      streams.giveSpare(stream);
      return this.#faults.resetClosed(id, ErrorCode.PROTOCOL_ERROR);
    }
    host.limits.requestBegan();
    streams.add(id, stream);
    host.streamBegan();
    const windowBytes = this.#settings.initialWindowBytes;
    if (fault === null) stream.begin(id, isEndStream, windowBytes, reader);
    else {
      stream.refuse(id, isEndStream, windowBytes, host.refuse(fault));
      this.#faults.count();
    }
  }

  #readTrailers(stream: Http2Stream, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const { reader } = this.#host;
    const fault = reader.readTrailers(block, start, end);
    if (fault === 'compression') return this.#fail(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    if (stream.body.isComplete) return this.#faults.failStream(stream, ErrorCode.STREAM_CLOSED);
    if (fault !== null || !isEndStream) return this.#faults.failStream(stream, ErrorCode.PROTOCOL_ERROR);
    this.#complete(stream, reader.trailers);
  }

  #headersOnClosed(id: number, block: Uint8Array, start: number, end: number): void {
    const state = this.#host.streams.stateOf(id);
    if (!this.#skip(block, start, end) || state === Closed.RESET_BY_US) return;
    if (state === Closed.RESET_BY_CLIENT) this.#faults.resetClosed(id, ErrorCode.STREAM_CLOSED);
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
      else this.#faults.countControl();
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
    // Our settings have no effect that waits for it, but a client that never acknowledges them is broken.
    this.#host.streams.hasAcknowledged = true;
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (!this.#faults.countControl()) return;
    if (isAck) return this.#host.onPingAck();
    this.#host.output.writer.addPing(true, bytes, start);
    this.#answered();
  }

  onGoaway(): void {
    const { streams } = this.#host;
    streams.hasClientLeft = true;
    streams.counts.goawayReceived();
    if (this.#faults.countControl()) this.#host.onClientGoaway();
  }

  onWindowUpdate(id: number, increment: number): void {
    if (!this.#faults.countControl()) return;
    const { output, streams } = this.#host;
    if (id === 0) {
      if (!output.window.adjust(increment)) this.#fail(ErrorCode.FLOW_CONTROL_ERROR, 'a window beyond 2^31 - 1');
      else output.pump();
      return;
    }
    const stream = streams.open.get(id);
    if (stream === undefined) {
      if (streams.stateOf(id) === Closed.IDLE) this.#fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
    } else if (!stream.response.addWindow(increment)) this.#faults.failStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    else output.pump();
  }

  onOther(stream: number, type: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#faults.countControl() && type === PRIORITY_UPDATE) this.#updatePriority(stream, bytes, start, end);
  }

  /** RFC 9218 section 7.1. A priority for a stream that isn't open has no effect: it may be stated with the request. */
  #updatePriority(stream: number, bytes: Uint8Array, start: number, end: number): void {
    if (stream !== 0 || end - start < 4) return this.#fail(ErrorCode.PROTOCOL_ERROR, 'malformed PRIORITY_UPDATE');
    const value = Buffer.from(bytes.subarray(start + 4, end)).toString('latin1');
    this.#host.streams.open.get(readUint31(bytes, start))?.response.setPriority(parsePriority(value));
  }

  onStreamError(id: number, code: ErrorCode): void {
    const stream = this.#host.streams.open.get(id);
    if (stream !== undefined) this.#faults.failStream(stream, code);
    else this.#faults.resetClosed(id, code);
  }

  onConnectionError(code: ErrorCode, reason: string): void {
    this.#fail(code, reason);
  }

  #complete(stream: Http2Stream, trailers: FieldList | null): void {
    if (!stream.complete(trailers)) this.#faults.failStream(stream, ErrorCode.PROTOCOL_ERROR);
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

/** Of the protocols of extended CONNECT we serve WebSocket (RFC 8441 section 4). @param protocol '' for other requests */
function protocolFault(protocol: string): Unparsable | null {
  return protocol === '' || protocol === 'websocket' ? null : 'method-not-served';
}
