// Output of one HTTP/2 connection: the frames of a turn of the event loop leave in one write, one write at a time; the
// connection's send window; and the streams that wait for either, by priority. Thread: worker.

import type { Socket } from 'node:net';
import { SendWindow } from '../../http2/flow-window.ts';
import { FrameWriter } from '../../http2/frame-writer.ts';
import { NO_TABLE_UPDATE } from '../../http2/response-block.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { SendRate } from '../accept/send-rate.ts';
import type { Http2Context } from './http2-context.ts';

/** Frames that wait for the write in progress: streams stop here. Four DATA frames. */
const FULL_BYTES = 65_536;
/** The same for a client that takes large writes at once: fewer writes and pauses, and no memory held for slow readers. */
const FULL_BYTES_AT_SPEED = 262_144;
const SPEEDY_WRITE_MS = 20;
/** Smaller writes show nothing of the client's speed. */
const LARGE_WRITE_BYTES = 32_768;
/** Beyond what streams may add: acknowledgements that a client demands and doesn't read (a flood of PING or SETTINGS). */
const FLOODED_BYTES = 1_048_576;
/** Before SETTINGS (RFC 9113 section 6.9.2). */
const INITIAL_WINDOW_BYTES = 65_535;

/** The client's dynamic table isn't used, which the first block states. */
const NO_TABLE = Buffer.of(NO_TABLE_UPDATE);

/** A stream, as it waits for the connection. */
export interface WaitingStream {
  readonly id: number;
  /** Priority (RFC 9218): 0 is the most urgent. */
  readonly urgency: number;
  readonly isIncremental: boolean;
  /** The connection has a window, and room: sends what the stream holds. */
  pump(): void;
  /** Its last frame has been handed to the system. */
  flushed(): void;
  /** The connection has closed before that. */
  lost(): void;
}

export class Http2Output {
  /** Call `touch` after adding frames. */
  readonly writer: FrameWriter;
  readonly window: SendWindow = new SendWindow(INITIAL_WINDOW_BYTES);
  readonly #context: Http2Context;
  readonly #socket: Socket;
  readonly #isTls: boolean;
  readonly #rate: SendRate;
  #isScheduled = false;
  #hasSentBlock = false;
  #isClosed = false;
  /** The socket is to be ended after everything that was added. */
  #isFinishing = false;
  /** The buffer of the write in progress. */
  #written: Buffer | null = null;
  /** When it began, if it is a large one (monotonic ms); else 0. */
  #largeSinceMs = 0;
  #fullBytes = FULL_BYTES;
  readonly #waiting: WaitingStream[] = [];
  /** Streams whose last frame waits to be written, or is being written. */
  #ended: WaitingStream[] = [];
  #ending: WaitingStream[] = [];

  constructor(context: Http2Context, client: ClientSocket) {
    this.#context = context;
    this.#socket = client.stream;
    this.#isTls = client.stream !== client.raw || 'encrypted' in client.stream;
    this.#rate = new SendRate(client.raw);
    this.writer = new FrameWriter(context.frames);
  }

  /** Bytes that streams may add to the queue. */
  get room(): number {
    return this.#fullBytes - this.writer.length;
  }

  get hasRoom(): boolean {
    return this.writer.length < this.#fullBytes;
  }

  /** Whether a client makes us queue what it doesn't read. */
  get isFlooded(): boolean {
    return this.writer.length > FLOODED_BYTES;
  }

  /** Whether a stream may send at once: no other one is before it. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.hasRoom;
  }

  /** Frames have been added: they are written after the events that have been polled already. */
  touch(): void {
    if (this.#isScheduled || this.#written !== null || this.#isClosed) return;
    this.#isScheduled = true;
    this.#context.turn.afterThis(this.#flushLater);
  }

  /** Adds HEADERS. */
  addBlock(stream: number, isEndStream: boolean, block: Uint8Array): void {
    const whole = this.#hasSentBlock ? block : Buffer.concat([NO_TABLE, block]);
    this.#hasSentBlock = true;
    this.writer.addHeaders(stream, isEndStream, whole, 0, whole.length);
    this.touch();
  }

  /** A stream's last frame has been added. */
  ends(stream: WaitingStream): void {
    this.#ended.push(stream);
    this.touch();
  }

  /** A stream waits for the window, or for room. Not to be called again before it is pumped. */
  wait(stream: WaitingStream): void {
    this.#waiting.push(stream);
  }

  /** A stream doesn't wait any more. */
  forget(stream: WaitingStream): void {
    const at = this.#waiting.indexOf(stream);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Lets streams send, the most urgent one first (RFC 9218 section 10). */
  pump(): void {
    while (this.#waiting.length > 0 && this.hasRoom && this.window.available > 0 && !this.#isClosed) {
      const at = this.#nextAt();
      const stream = this.#waiting[at]!;
      this.#waiting.splice(at, 1);
      stream.pump();
    }
  }

  /** Writes everything now, unless a write is in progress. */
  flush(): void {
    this.#isScheduled = false;
    const { writer } = this;
    if (this.#isClosed || this.#written !== null || writer.length === 0) return;
    const size = writer.length;
    const buffer = writer.take();
    this.#written = buffer;
    this.#largeSinceMs = size < LARGE_WRITE_BYTES ? 0 : this.#context.turn.nowMs();
    if (this.#ended.length > 0) [this.#ended, this.#ending] = [this.#ending, this.#ended];
    this.#write(size === buffer.length ? buffer : buffer.subarray(0, size));
  }

  /** Ends our side after everything that was added. */
  finish(): void {
    this.#isFinishing = true;
    this.flush();
    this.#endIfDone();
  }

  /** Checks that the client reads. @returns whether it has read too little for the whole timeout */
  isTooSlow(nowMs: number, limitMs: number): boolean {
    if (this.#written === null && this.#waiting.length === 0) {
      this.#rate.end();
      return false;
    }
    this.#rate.begin(nowMs);
    return limitMs > 0 && this.#rate.isTooSlow(nowMs, limitMs);
  }

  /** The connection is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.writer.drop();
    for (const streams of [this.#ending, this.#ended]) for (const stream of streams.splice(0)) stream.lost();
  }

  readonly #flushLater = (): void => this.flush();

  /** Under TLS the callback reports the end; else mostly the system has taken everything at once. */
  #write(bytes: Buffer): void {
    const socket = this.#socket;
    if (this.#isTls) {
      socket.write(bytes, this.#onWritten);
      return;
    }
    socket.write(bytes);
    if (socket.writableLength === 0) this.#done();
    else socket.write('', 'latin1', this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error || this.#isClosed) return;
    const { turn } = this.#context;
    turn.begin();
    this.#done();
    turn.end();
  };

  #done(): void {
    const { frames, turn } = this.#context;
    frames.give(this.#written!);
    this.#written = null;
    if (this.#largeSinceMs > 0) {
      const isSpeedy = turn.nowMs() - this.#largeSinceMs <= SPEEDY_WRITE_MS;
      this.#fullBytes = isSpeedy ? FULL_BYTES_AT_SPEED : FULL_BYTES;
    }
    const ending = this.#ending;
    for (let index = 0; index < ending.length; index += 1) ending[index]!.flushed();
    ending.length = 0;
    this.pump();
    if (this.writer.length > 0) this.touch();
    else this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#isFinishing && this.#written === null && this.writer.length === 0) this.#socket.end();
  }

  /** Index of the stream that may send next; streams of equal rank take turns. */
  #nextAt(): number {
    const waiting = this.#waiting;
    let next = 0;
    for (let at = 1; at < waiting.length; at += 1) if (isBefore(waiting[at]!, waiting[next]!)) next = at;
    return next;
  }
}

/** By urgency; among those that aren't incremental, in the order of the requests (RFC 9218 section 10). */
function isBefore(stream: WaitingStream, other: WaitingStream): boolean {
  if (stream.urgency !== other.urgency) return stream.urgency < other.urgency;
  return !stream.isIncremental && !other.isIncremental && stream.id < other.id;
}
