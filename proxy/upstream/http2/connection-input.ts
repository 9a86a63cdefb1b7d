// The input of one HTTP/2 connection: frames, checked by the states of its streams (RFC 9113 section 5.1), settings and
// windows. Thread: worker.

import { ErrorCode } from '../../http2/error-code.ts';
import { ReceiveWindow } from '../../http2/flow-window.ts';
import { FrameReader, type FrameSink } from '../../http2/frame-reader.ts';
import { Decoded, HpackDecoder } from '../../http2/hpack-decoder.ts';
import { PeerSettings } from '../../http2/settings.ts';
import { DEFAULT_HEAD_LIMITS } from '../../http1/head-scanner.ts';
import type { ConnectionOutput } from './connection-output.ts';
import type { ConnectionWatch } from './connection-watch.ts';
import type { Http2Attempt } from './http2-attempt.ts';
import { STREAM_WINDOW_BYTES } from './stream-receiver.ts';

/**
 * Our window for all streams of a connection. Its credit is returned on receipt, so that a slow client holds back its own
 * stream only: sixteen full streams in flight.
 */
export const CONNECTION_WINDOW_BYTES = 16 * STREAM_WINDOW_BYTES;
const HEADER_TABLE_BYTES = 4096;

/** The connection, as its frames affect it. */
export interface InputUser {
  readonly output: ConnectionOutput;
  readonly watch: Pick<ConnectionWatch, 'acknowledged'>;
  /** The attempt of an open stream; undefined for others. */
  attemptOf(stream: number): Http2Attempt | undefined;
  /** Whether a stream was never opened. */
  isUnused(stream: number): boolean;
  /** The endpoint's settings have come, or changed. @param windowDeltaBytes by which the windows of open streams change */
  onPeerSettings(windowDeltaBytes: number): void;
  onPingAnswer(): void;
  onGoaway(lastStream: number, code: number): void;
  /** The endpoint broke the protocol: the connection ends. */
  onBroken(code: ErrorCode, reason: string): void;
}

export class ConnectionInput implements FrameSink {
  readonly peer: PeerSettings = new PeerSettings();
  readonly #user: InputUser;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES);
  #hasBegun = false;
  /** Bytes of the current DATA frame that were not delivered: in the end, its padding. */
  #frameBytes = 0;

  constructor(user: InputUser, headBytes: number) {
    this.#user = user;
    this.#reader = new FrameReader(this);
    this.#decoder = new HpackDecoder(HEADER_TABLE_BYTES, { listBytes: headBytes, fields: DEFAULT_HEAD_LIMITS.fields });
  }

  feed(bytes: Buffer, size: number): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      if (bytes.toString('latin1', 0, Math.min(size, 5)) === 'HTTP/') {
        return this.#user.onBroken(ErrorCode.PROTOCOL_ERROR, 'HTTP/1.1 only: remove protocol: http2');
      }
    }
    this.#reader.feed(bytes, 0, size);
  }

  shut(): void {
    this.#reader.shut();
  }

  onDataStart(stream: number, flowBytes: number): void {
    if (!this.#window.receive(flowBytes)) {
      return this.onConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'DATA beyond the window of the connection');
    }
    const credit = this.#window.consume(flowBytes);
    if (credit > 0) this.#user.output.writeCredit(0, credit);
    this.#frameBytes = flowBytes;
    this.#find(stream)?.onDataStart(flowBytes);
  }

  onData(stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.#frameBytes -= end - start;
    this.#user.attemptOf(stream)?.onData(bytes as Buffer, start, end);
  }

  onDataEnd(stream: number, isEndStream: boolean): void {
    this.#user.attemptOf(stream)?.onDataEnd(this.#frameBytes, isEndStream);
  }

  /** Every block is decoded, also that of a closed stream: the tables of both sides would differ otherwise. */
  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const fields: string[] = [];
    const decoded = this.#decoder.decode(block, start, end, ({ name, value }) => fields.push(name, value));
    if (decoded === Decoded.MALFORMED) {
      return this.onConnectionError(ErrorCode.COMPRESSION_ERROR, 'malformed header block');
    }
    this.#find(stream)?.onHeaders(decoded === Decoded.OK ? fields : null, isEndStream);
  }

  onReset(stream: number, code: number): void {
    this.#find(stream)?.onReset(code);
  }

  onSettings(bytes: Uint8Array, start: number, end: number): void {
    const before = this.peer.initialWindowBytes;
    const error = this.peer.apply(bytes, start, end);
    if (error !== ErrorCode.NO_ERROR) return this.onConnectionError(error, 'invalid SETTINGS');
    if (!this.#user.output.acknowledge(this.peer)) return this.#failByFlood();
    this.#user.onPeerSettings(this.peer.initialWindowBytes - before);
  }

  onSettingsAck(): void {
    // Ours permit the endpoint more than the defaults: they need not be in force for anything.
    this.#user.watch.acknowledged();
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    if (isAck) this.#user.onPingAnswer();
    else if (!this.#user.output.answerPing(bytes, start)) this.#failByFlood();
  }

  onGoaway(lastStream: number, code: number): void {
    this.#user.onGoaway(lastStream, code);
  }

  onWindowUpdate(stream: number, increment: number): void {
    const { output } = this.#user;
    if (stream === 0) {
      if (output.widen(increment)) output.pumpAll();
      else this.onConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'the window of the connection is too large');
      return;
    }
    const attempt = this.#find(stream);
    if (attempt === undefined) return;
    if (attempt.adjustWindow(increment)) output.pump(attempt);
    else attempt.reject('the window of the stream is too large', ErrorCode.FLOW_CONTROL_ERROR);
  }

  onStreamError(stream: number, code: ErrorCode): void {
    this.#find(stream)?.reject('an invalid frame', code);
  }

  onConnectionError(code: ErrorCode, reason: string): void {
    this.#user.onBroken(code, reason);
  }

  #failByFlood(): void {
    this.onConnectionError(ErrorCode.ENHANCE_YOUR_CALM, 'SETTINGS or PING without reading the answers');
  }

  /** Frames of closed streams are ignored: they may have crossed our RST_STREAM. Those of unused ones are a fault. */
  #find(stream: number): Http2Attempt | undefined {
    const attempt = this.#user.attemptOf(stream);
    if (attempt === undefined && this.#user.isUnused(stream)) {
      this.onConnectionError(ErrorCode.PROTOCOL_ERROR, 'a frame of a stream that was never opened');
    }
    return attempt;
  }
}
