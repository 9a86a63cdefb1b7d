// DATA frames of one client connection: windows of the connection and of streams, and the streams that they belong to.
// Thread: worker.

import { ErrorCode } from '../../http2/error-code.ts';
import { ReceiveWindow } from '../../http2/flow-window.ts';
import { CALM, type FrameFaults, type FrameHost } from './frame-faults.ts';
import type { Http2Stream } from './http2-stream.ts';
import { CONNECTION_WINDOW_BYTES } from './receive-budget.ts';
import { Closed } from './stream-table.ts';

export class DataFrames {
  readonly #host: FrameHost;
  readonly #faults: FrameFaults;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES);
  /** The stream of the frame that is being read; null where its bytes are ignored. */
  #dataStream: Http2Stream | null = null;
  /** Bytes of that frame that are padding, or were not read yet. */
  #paddingBytes = 0;
  #frameBytes = 0;

  constructor(host: FrameHost, faults: FrameFaults) {
    this.#host = host;
    this.#faults = faults;
  }

  begin(id: number, flowBytes: number): void {
    const { streams } = this.#host;
    this.#dataStream = null;
    if (!this.#window.receive(flowBytes))
      return this.#host.fail(ErrorCode.FLOW_CONTROL_ERROR, 'DATA beyond the window');
    this.#returnCredit(flowBytes);
    const stream = streams.open.get(id);
    if (stream === undefined) return this.#dataOnClosed(id);
    if (stream.body.isComplete) return this.#faults.failStream(stream, ErrorCode.STREAM_CLOSED);
    if (!stream.body.window.receive(flowBytes)) return this.#faults.failStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    this.#dataStream = stream;
    this.#paddingBytes = flowBytes;
    this.#frameBytes = 0;
  }

  add(id: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#dataStream;
    // An event of the exchange may have closed the stream within the frame.
    if (stream === null || stream.id !== id || stream.ending.isClosed) return;
    this.#paddingBytes -= end - start;
    this.#frameBytes += end - start;
    if (!stream.received(bytes, start, end)) this.#faults.failStream(stream, ErrorCode.PROTOCOL_ERROR);
  }

  end(id: number, isEndStream: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null || stream.id !== id || stream.ending.isClosed) return;
    if (!this.#host.limits.mayReceiveData(this.#frameBytes, isEndStream))
      this.#host.fail(CALM, 'too many small DATA frames');
    else if (isEndStream) this.#complete(stream);
    else if (this.#paddingBytes > 0) stream.consumed(this.#paddingBytes);
  }

  #complete(stream: Http2Stream): void {
    if (!stream.complete(null)) this.#faults.failStream(stream, ErrorCode.PROTOCOL_ERROR);
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
    if (state === Closed.RESET_BY_US) this.#faults.countControl();
    else if (state === Closed.RESET_BY_CLIENT) this.#faults.resetClosed(id, ErrorCode.STREAM_CLOSED);
    else if (state === Closed.IDLE) this.#host.fail(ErrorCode.PROTOCOL_ERROR, 'DATA on an idle stream');
    else this.#host.fail(ErrorCode.STREAM_CLOSED, 'DATA on a closed stream');
  }
}
