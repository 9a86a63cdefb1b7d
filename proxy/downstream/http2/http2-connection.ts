// One client connection of our HTTP/2 engine: its streams as exchanges, its limits, drains, and its end. Behaves as
// NodeHttp2Connection does. Thread: worker.

import type { ClientConnection, LocalReply, Unparsable } from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { AbuseLimits } from '../../http2/abuse-limits.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import { CONNECTION_PREFACE } from '../../http2/frame-format.ts';
import { FrameReader } from '../../http2/frame-reader.ts';
import type { FrameWriter } from '../../http2/frame-writer.ts';
import { RequestReader } from '../../http2/request-reader.ts';
import type { ClientLimits } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { jittered } from '../accept/connection-ledger.ts';
import { LingeringClose } from '../accept/lingering-close.ts';
import type { Swept } from '../accept/sweeper.ts';
import type { DrainableConnection } from '../downstream-context.ts';
import { trustedOnlyFor } from '../trusted-only-fields.ts';
import type { Http2Context, Http2Listener } from './http2-context.ts';
import type { FrameHost } from './frame-faults.ts';
import { Http2Frames } from './http2-frames.ts';
import { Http2Output } from './http2-output.ts';
import { type Http2Host, Http2Stream } from './http2-stream.ts';
import { CONNECTION_WINDOW_BYTES, INITIAL_WINDOW_BYTES, ReceiveBudget } from './receive-budget.ts';
import { StreamTable } from './stream-table.ts';
import { StreamTimeouts } from './stream-timeouts.ts';

/**
 * PREFACE: the client's preface is incomplete. OPEN: streams are served. DRAINING: the first GOAWAY has been sent, and
 * streams that were on their way are served. LEAVING: the last GOAWAY has been sent; open streams are finished. LINGERING:
 * our side is closed, and the client's is read until it closes. GONE: closed.
 */
const Phase = { PREFACE: 0, OPEN: 1, DRAINING: 2, LEAVING: 3, LINGERING: 4, GONE: 5 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** For each phase, those that may follow it. */
const ALLOWED: readonly (readonly Phase[])[] = [
  [Phase.OPEN, Phase.LINGERING, Phase.GONE],
  [Phase.DRAINING, Phase.LEAVING, Phase.LINGERING, Phase.GONE],
  [Phase.LEAVING, Phase.LINGERING, Phase.GONE],
  [Phase.LINGERING, Phase.GONE],
  [Phase.GONE],
  [],
];

/** @throws Error where the transition isn't allowed: a bug, never caused by input alone */
function checkTransition(from: Phase, to: Phase): void {
  if (!ALLOWED[from]!.includes(to)) throw new Error(`connection phase ${from} can't precede ${to}`);
}

/** Our SETTINGS_HEADER_TABLE_SIZE. The client's table isn't used. */
const TABLE_BYTES = 4096;
const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const MAX_HEADER_LIST_SIZE = 0x6;
/** WebSocket over a stream (RFC 8441). */
const ENABLE_CONNECT_PROTOCOL = 0x8;
/** We read the field `priority` alone (RFC 9218 section 2.1). */
const NO_RFC7540_PRIORITIES = 0x9;
/** No stream has it: the first of two GOAWAY frames announces the end, and refuses no request (RFC 9113 section 6.8). */
const LARGEST_STREAM = 0x7fffffff;
const DRAIN_PING = Buffer.from('draining', 'latin1');
/** Time for the acknowledgement of our SETTINGS (RFC 9113 section 6.5.3): far beyond any round trip. */
const SETTINGS_ACK_MS = 20_000;
/** Time for the PING between both GOAWAY frames: a long round trip. */
const DRAIN_PING_MS = 1000;

export class Http2Connection implements Http2Host, FrameHost, DrainableConnection, Swept {
  readonly output: Http2Output;
  readonly budget: ReceiveBudget = new ReceiveBudget();
  readonly streams: StreamTable;
  readonly reader: RequestReader;
  readonly limits: AbuseLimits;
  readonly #client: ClientSocket;
  readonly #context: Http2Context;
  readonly #settings: Http2Listener;
  readonly #frames: FrameReader;
  readonly #timeouts: StreamTimeouts;
  #phase: Phase = Phase.PREFACE;
  /** Monotonic ms at which the phase began, and since which no stream has been open. */
  #sinceMs: number;
  #idleSinceMs: number;
  #prefaceBytes = 0;
  #requestsLeft: number;
  #goawayStream = LARGEST_STREAM;
  #closing: LingeringClose | null = null;

  constructor(context: Http2Context, settings: Http2Listener, client: ClientSocket) {
    const { limits, timeouts } = settings.snapshot;
    this.#context = context;
    this.streams = new StreamTable(context.ledger.http2Opened(client.facts.listenerIndex), limits.streams);
    this.#settings = settings;
    this.#client = client;
    this.#sinceMs = context.turn.nowMs();
    this.#idleSinceMs = this.#sinceMs;
    this.#requestsLeft = jittered(limits.requestsPerConnection, context.random);
    this.#timeouts = new StreamTimeouts(timeouts);
    this.output = new Http2Output(context, client);
    this.limits = new AbuseLimits(context.turn);
    this.reader = new RequestReader(TABLE_BYTES, settings.rules, trustedOnlyFor(settings.snapshot, client.facts));
    this.#frames = new FrameReader(new Http2Frames(this));
    client.stream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    context.sweeper.add(this);
    addGreeting(this.output.writer, limits);
    this.output.touch();
  }

  get facts(): ClientConnection {
    return this.#client.facts;
  }

  get isAccepting(): boolean {
    return this.#phase <= Phase.DRAINING;
  }

  #enter(phase: Phase): void {
    checkTransition(this.#phase, phase);
    this.#phase = phase;
    this.#sinceMs = this.#context.turn.nowMs();
  }

  // ---- reading

  readonly #onData = (bytes: Buffer): void => {
    const { turn } = this.#context;
    turn.begin();
    if (this.#phase === Phase.LINGERING) this.#drop();
    else this.#frames.feed(bytes, this.#phase === Phase.PREFACE ? this.#readPreface(bytes) : 0, bytes.length);
    turn.end();
  };

  /** @returns the offset after it */
  #readPreface(bytes: Buffer): number {
    let at = 0;
    for (; at < bytes.length && this.#prefaceBytes < CONNECTION_PREFACE.length; at += 1, this.#prefaceBytes += 1) {
      if (bytes[at] === CONNECTION_PREFACE[this.#prefaceBytes]) continue;
      this.fail(ErrorCode.PROTOCOL_ERROR, 'no connection preface');
      return bytes.length;
    }
    if (this.#prefaceBytes === CONNECTION_PREFACE.length) this.#enter(Phase.OPEN);
    return at;
  }

  // ---- streams

  newStream(): Http2Stream {
    return new Http2Stream(this, this.#context);
  }

  streamBegan(): void {
    this.#requestsLeft -= 1;
    if (this.#requestsLeft === 0) this.startDrain();
  }

  refuse(why: Unparsable): LocalReply {
    return this.#context.starter.refuse(this.facts, why);
  }

  addHead(stream: number, head: ResponseHead, extra: FieldList): void {
    this.output.addBlock(stream, false, this.#context.blocks.head(head, extra));
  }

  addTrailers(stream: number, trailers: FieldList): boolean {
    const block = this.#context.blocks.trailers(trailers);
    if (block !== null) this.output.addBlock(stream, true, block);
    return block !== null;
  }

  addReset(stream: number, code: ErrorCode): void {
    this.streams.noteReset(stream, false);
    this.output.writer.addReset(stream, code);
    this.output.touch();
  }

  addCredit(stream: number, credit: number): void {
    this.output.writer.addWindowUpdate(stream, credit);
    this.output.touch();
  }

  dataAdded(sizeBytes: number): void {
    this.limits.bytesSent(sizeBytes);
  }

  streamClosed(stream: Http2Stream): void {
    this.streams.delete(stream.id);
    if (this.streams.open.size > 0) return;
    this.#idleSinceMs = this.#context.turn.nowMs();
    if (this.#phase === Phase.LEAVING) this.#finish();
  }

  streamReusable(stream: Http2Stream): void {
    this.streams.giveSpare(stream);
  }

  // ---- limits

  sweep(nowMs: number): void {
    if (this.#phase === Phase.LINGERING) return this.#checkLinger(nowMs);
    const { keepAliveMs, headMs, sendIdleMs } = this.#settings.snapshot.timeouts;
    if (this.output.isTooSlow(nowMs, sendIdleMs)) return this.#sendTimedOut();
    const { open, lastId, hasAcknowledged } = this.streams;
    if (!hasAcknowledged && this.#phase === Phase.OPEN && nowMs - this.#sinceMs > SETTINGS_ACK_MS)
      return this.fail(ErrorCode.SETTINGS_TIMEOUT, 'SETTINGS were not acknowledged');
    if (open.size > 0) return this.#timeouts.sweep(open, nowMs);
    const idleMs = nowMs - this.#idleSinceMs;
    if (this.#phase === Phase.DRAINING && nowMs - this.#sinceMs > DRAIN_PING_MS) this.#leave();
    else if (this.#phase === Phase.PREFACE && idleMs > headMs) this.#finish();
    else if (this.#phase === Phase.OPEN && idleMs > (lastId > 0 ? keepAliveMs : headMs)) this.startDrain();
    else if (idleMs > sendIdleMs) this.streams.dropSpare();
  }

  #sendTimedOut(): void {
    for (const stream of this.streams.open.values()) stream.sendTimedOut();
    this.#client.reset();
  }

  // ---- drains

  /** Announces the end, and serves the requests that are on their way: the PING behind it comes back after them. */
  startDrain(): void {
    if (this.#phase === Phase.PREFACE) return this.#finish();
    if (this.#phase !== Phase.OPEN) return;
    this.#enter(Phase.DRAINING);
    this.#addGoaway(LARGEST_STREAM, ErrorCode.NO_ERROR);
    this.output.writer.addPing(false, DRAIN_PING, 0);
  }

  #addGoaway(lastStream: number, code: ErrorCode, reason?: string): void {
    this.streams.counts.goawaySent();
    // It may not increase (RFC 9113 section 6.8): refused streams follow the last one.
    this.#goawayStream = Math.min(this.#goawayStream, lastStream);
    this.output.writer.addGoaway(this.#goawayStream, code, reason);
    this.output.touch();
  }

  onPingAck(): void {
    if (this.#phase === Phase.DRAINING) this.#leave();
  }

  onClientGoaway(): void {
    if (this.#phase <= Phase.DRAINING) this.#leave();
  }

  /** Serves the open streams alone. */
  #leave(): void {
    this.#enter(Phase.LEAVING);
    this.#addGoaway(this.streams.lastId, ErrorCode.NO_ERROR);
    if (this.streams.open.size === 0) this.#finish();
  }

  /** Resets each stream first: a client may take the end of a connection for the end of a body. */
  destroy(): void {
    for (const stream of this.streams.open.values()) stream.abort();
    this.output.flush();
    setImmediate(() => this.#client.reset());
  }

  evict(mayBeIdle: boolean): boolean {
    if (this.streams.open.size > 0 || this.#client.stream.writableLength > 0) return false;
    if (this.streams.lastId > 0 && !mayBeIdle && this.#frames.isBetweenFrames) return false;
    this.fail(ErrorCode.NO_ERROR, 'closed for a new connection');
    setImmediate(() => this.#client.stream.destroy());
    return true;
  }

  fail(code: ErrorCode, reason: string): void {
    if (this.#phase >= Phase.LINGERING) return;
    const { peerAddress: peer, listenerName: listener } = this.facts;
    this.#context.log.debug({ listener, peer, code, reason }, `HTTP/2 connection ${code === 0 ? 'closed' : 'failed'}`);
    this.#addGoaway(this.streams.lastId, code, reason);
    this.#finish();
  }

  /** Closes our side after the added frames, and reads until the client closes (RFC 9112 section 9.6). */
  #finish(): void {
    this.#enter(Phase.LINGERING);
    this.#frames.shut();
    this.#closing = new LingeringClose(this.#sinceMs, false, this.#client.stream.bytesRead);
    this.streams.loseAll();
    this.output.finish();
  }

  #drop(): void {
    const { bytesRead } = this.#client.stream;
    if (!this.#closing!.readUpTo(bytesRead, this.#context.turn.nowMs())) this.#client.stream.destroy();
  }

  #checkLinger(nowMs: number): void {
    const { stream } = this.#client;
    const delayMs = this.#closing!.delayMs(nowMs, stream.writableFinished, this.#settings.snapshot.timeouts.sendIdleMs);
    if (delayMs <= 0) stream.destroy();
  }

  /** The client has half-closed: whole requests are answered, as far as the windows reach that it has given. */
  readonly #onEnd = (): void => {
    if (this.#phase === Phase.LINGERING) return;
    const { turn } = this.#context;
    turn.begin();
    this.streams.loseUnfinished();
    if (this.streams.open.size === 0) this.#client.stream.destroy();
    else if (this.#phase < Phase.LEAVING) this.#enter(Phase.LEAVING);
    turn.end();
  };

  readonly #onClose = (): void => {
    const { turn, sweeper } = this.#context;
    this.#enter(Phase.GONE);
    this.streams.counts.closed();
    sweeper.delete(this);
    turn.begin();
    this.#frames.shut();
    this.streams.loseAll();
    this.output.close();
    turn.end();
  };
}

/** Adds our SETTINGS, and credit for the connection. */
function addGreeting(writer: FrameWriter, { streams, headBytes }: ClientLimits): void {
  const limits = [MAX_CONCURRENT_STREAMS, streams, MAX_HEADER_LIST_SIZE, headBytes];
  writer.addSettings([ENABLE_PUSH, 0, ...limits, ENABLE_CONNECT_PROTOCOL, 1, NO_RFC7540_PRIORITIES, 1]);
  writer.addWindowUpdate(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES);
}
