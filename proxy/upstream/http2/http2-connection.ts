// One HTTP/2 connection to an endpoint: many streams, one per attempt (RFC 9113). Begins with the SETTINGS of both sides,
// drains after GOAWAY, and closes. A fault of the endpoint ends this connection only. Thread: worker.

import type { Socket } from 'node:net';
import { type Failure, type FailureKind, failureOf } from '../../../core/failure.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import { ErrorCode, errorName } from '../../http2/error-code.ts';
import { EndpointSocket, Input, type SocketUser } from '../http1/endpoint-socket.ts';
import type { IdleClose } from '../idle-deaths.ts';
import { CONNECTION_WINDOW_BYTES, ConnectionInput, type InputUser } from './connection-input.ts';
import { ConnectionOutput } from './connection-output.ts';
import { ConnectionWatch, type Owed, type Watched } from './connection-watch.ts';
import type { Http2Attempt, StreamHost } from './http2-attempt.ts';
import type { Http2Parts } from './http2-parts.ts';
import { STREAM_WINDOW_BYTES } from './stream-receiver.ts';

const F = ENDPOINT_FIELD;

/** Requests at once on one connection, if the endpoint permits that many: more would share its window and its losses. */
const MAX_STREAMS = 100;
/** Stream numbers end at 2^31 (section 5.1.1): a connection is drained before. */
const LAST_STREAM = 0x7fffff00;
const PING_PAYLOAD = Buffer.from('fairlead', 'latin1');

/** Identifiers of our settings (section 6.5.2). */
const Setting = { ENABLE_PUSH: 2, INITIAL_WINDOW_SIZE: 4, MAX_HEADER_LIST_SIZE: 6 } as const;

/** starting: awaits SETTINGS. open: takes streams. draining: finishes its streams. closed: nothing more. */
type State = 'starting' | 'open' | 'draining' | 'closed';

/** The pool of a connection. */
export interface ConnectionOwner {
  readonly parts: Http2Parts;
  readonly responseHeadBytes: number;
  /** How long a connection without streams is kept, in ms. */
  readonly keepAliveMs: number;
  /** Time for SETTINGS and PING answers, in ms. */
  readonly replyMs: number;
  /** How long a connection takes new streams, in ms. */
  readonly ageMs: number;
  /** Adds to a field of the endpoint's block in the worker's lane. @param field of ENDPOINT_FIELD */
  count(field: number, amount: number): void;
  /** The connection takes more streams than before. */
  onRoom(connection: Http2Connection): void;
  /** The connection takes no more streams. @param failure where it never took any */
  onUnusable(connection: Http2Connection, failure: Failure | null): void;
  /** The endpoint has closed the connection without GOAWAY while it had no streams. */
  onIdleClose(close: IdleClose): void;
  /** The endpoint broke the protocol. */
  onFault(kind: FailureKind, reason: string): void;
  /** The socket is closed. */
  onClosed(connection: Http2Connection): void;
}

export class Http2Connection implements StreamHost, InputUser, SocketUser, Watched {
  readonly socket: EndpointSocket;
  readonly output: ConnectionOutput;
  /** Read into the worker's shared buffer, whatever the bytes are. */
  readonly isInBody = false;
  readonly isStopped = false;
  receivedBytes = 0;
  readonly #owner: ConnectionOwner;
  readonly input: ConnectionInput;
  readonly watch: ConnectionWatch;
  readonly #streams = new Map<number, Http2Attempt>();
  #state: State = 'starting';
  #nextStream = 1;
  #hasGoaway = false;
  #countsAsIdle = false;

  constructor(owner: ConnectionOwner) {
    const { turn, memory } = owner.parts;
    this.#owner = owner;
    this.socket = new EndpointSocket(this, turn, memory);
    this.output = new ConnectionOutput(this.socket, owner.parts);
    this.input = new ConnectionInput(this, owner.responseHeadBytes);
    this.watch = new ConnectionWatch(owner.parts, owner, this);
  }

  /** Adopts a connected socket. */
  open(socket: Socket, isTls: boolean): void {
    this.socket.open(socket, isTls);
    this.#owner.count(F.http2Connections, 1);
    const headBytes = this.#owner.responseHeadBytes;
    const windows = [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES, Setting.MAX_HEADER_LIST_SIZE, headBytes];
    this.output.open([Setting.ENABLE_PUSH, 0, ...windows], CONNECTION_WINDOW_BYTES);
    this.watch.begin();
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** How many streams it takes at once. */
  get streamLimit(): number {
    return Math.min(MAX_STREAMS, this.input.peer.maxConcurrentStreams);
  }

  /** Whether it takes another stream. */
  get hasRoom(): boolean {
    return this.#state === 'open' && !this.watch.isInDoubt && this.#streams.size < this.streamLimit;
  }

  get isIdle(): boolean {
    return this.#state === 'open' && this.#streams.size === 0;
  }

  /** Leases a stream to an attempt and sends its head. */
  begin(attempt: Http2Attempt): void {
    const isReused = this.#nextStream > 1;
    if (isReused) this.#owner.count(F.connectionsReused, 1);
    if (!attempt.lease(this, isReused)) return;
    const wasIdle = isReused && this.#streams.size === 0;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(stream, attempt);
    this.#owner.count(F.http2Streams, 1);
    this.#countIdle();
    this.output.writeHead(stream, !attempt.isTunnel && attempt.request.head.bodyLength === 0, attempt.fields);
    attempt.begin(stream, this.input.peer.initialWindowBytes, wasIdle);
    if (this.#nextStream > LAST_STREAM) this.drain();
  }

  /** Takes no more streams, and closes after the last one. */
  drain(): void {
    if (this.#state === 'open') {
      this.#state = 'draining';
      this.#countIdle();
      this.#owner.onUnusable(this, null);
    }
    if (this.#state === 'draining' && this.#streams.size === 0) this.#end(null, 'the connection was drained');
  }

  /** Closes the connection; its attempts fail as cancelled. */
  cancel(): void {
    this.#end('cancelled', 'the transport was closed');
  }

  // ---- StreamHost

  nowMs(): number {
    return this.#owner.parts.turn.nowMs();
  }

  inTurn(run: () => void): void {
    const { turn } = this.#owner.parts;
    turn.begin();
    run();
    turn.end();
  }

  returnCredit(stream: number, creditBytes: number): void {
    if (this.#streams.has(stream)) this.output.writeCredit(stream, creditBytes);
  }

  reset(stream: number, code: ErrorCode): void {
    if (!this.#streams.has(stream)) return;
    this.#owner.count(F.http2ResetsSent, 1);
    this.output.writeReset(stream, code);
  }

  forget(attempt: Http2Attempt): void {
    this.output.unblock(attempt);
    if (!this.#streams.delete(attempt.stream)) return;
    this.#owner.count(F.http2Streams, -1);
    this.socket.countSent();
    if (this.#streams.size === 0) this.watch.becameIdle();
    this.#countIdle();
    if (this.#state === 'draining') this.drain();
    else if (this.#state === 'open') this.#owner.onRoom(this);
  }

  doubt(sinceMs: number): void {
    if (this.#state !== 'closed') this.watch.doubt(sinceMs);
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#owner.onFault(kind, reason);
  }

  // ---- InputUser

  attemptOf(stream: number): Http2Attempt | undefined {
    return this.#streams.get(stream);
  }

  isUnused(stream: number): boolean {
    return stream >= this.#nextStream || stream % 2 === 0;
  }

  onPeerSettings(windowDeltaBytes: number): void {
    if (windowDeltaBytes !== 0 && !this.#adjustWindows(windowDeltaBytes)) return;
    if (this.#state === 'starting') {
      this.#state = 'open';
      this.watch.started(this.#owner.ageMs);
      this.#countIdle();
    }
    if (this.#state === 'open') this.#owner.onRoom(this);
  }

  /** A changed initial window applies to open streams too (section 6.9.2). */
  #adjustWindows(deltaBytes: number): boolean {
    for (const attempt of this.#streams.values()) {
      if (attempt.adjustWindow(deltaBytes)) continue;
      this.onBroken(ErrorCode.FLOW_CONTROL_ERROR, 'SETTINGS make the window of a stream too large');
      return false;
    }
    this.output.pumpAll();
    return true;
  }

  onPingAnswer(): void {
    if (this.watch.answered() && this.#state === 'open') this.#owner.onRoom(this);
  }

  /** Streams above the last one were not processed (section 6.8). */
  onGoaway(lastStream: number, code: number): void {
    this.#hasGoaway = true;
    this.#owner.count(F.http2GoawaysReceived, 1);
    const reason = `the endpoint closes the connection: GOAWAY, ${errorName(code)}`;
    if (code !== ErrorCode.NO_ERROR) this.#owner.onFault('reset', `GOAWAY with ${errorName(code)}`);
    if (this.#state === 'starting') return this.#end('reset', reason);
    const refused = [...this.#streams.values()].filter(({ stream }) => stream > lastStream);
    this.drain();
    for (const attempt of refused) attempt.refuse(reason);
  }

  onBroken(code: ErrorCode, reason: string): void {
    this.#owner.onFault('malformed-response', reason);
    this.output.close(code);
    this.#end('malformed-response', reason);
  }

  // ---- SocketUser

  onBytes(bytes: Buffer, size: number): void {
    this.receivedBytes += size;
    this.watch.received();
    this.input.feed(bytes, size);
  }

  onDrain(): void {
    this.output.drained();
  }

  onInputEnd(): void {
    if (this.#state === 'closed') return;
    if (this.isIdle && !this.#hasGoaway) this.#owner.onIdleClose({ idleMs: this.watch.idleMs, announcedMs: -1 });
    const { input, writeError } = this.socket;
    this.#end(null, writeError?.message ?? (input === Input.FIN ? 'closed by the endpoint' : 'connection lost'));
  }

  onClosed(): void {
    this.#owner.onClosed(this);
  }

  count(field: number, amount: number): void {
    this.#owner.count(field, amount);
  }

  // ---- Watched

  sendPing(): void {
    this.output.writePing(PING_PAYLOAD);
  }

  onReplyTimeout(owed: Owed): void {
    this.#owner.onFault('connect-timeout', `no ${owed} in time`);
    if (owed === 'SETTINGS acknowledgement') this.output.close(ErrorCode.SETTINGS_TIMEOUT);
    this.#end(this.#state === 'starting' ? 'connect-timeout' : null, `no ${owed} from the endpoint`);
  }

  onExpired(): void {
    this.drain();
  }

  // ---- the end

  /** @param kind of the failure of its attempts; null for that of a lost connection */
  #end(kind: FailureKind | null, reason: string): void {
    if (this.#state === 'closed') return;
    const failure = this.#state === 'starting' ? failureAtStart(kind, reason) : null;
    const attempts = [...this.#streams.values()];
    this.#state = 'closed';
    this.#owner.count(F.http2Connections, -1);
    this.#owner.count(F.http2Streams, -attempts.length);
    this.#owner.count(F.http2GoawaysSent, 1);
    this.#streams.clear();
    this.#countIdle();
    this.watch.stop();
    this.input.shut();
    this.output.close(ErrorCode.NO_ERROR);
    this.output.drop();
    this.socket.destroy();
    this.#owner.onUnusable(this, failure);
    for (const attempt of attempts) attempt.lose(kind, reason);
  }

  #countIdle(): void {
    if (this.isIdle === this.#countsAsIdle) return;
    this.#countsAsIdle = this.isIdle;
    this.#owner.count(F.connectionsIdle, this.isIdle ? 1 : -1);
  }
}

/** The failure of attempts for which no connection could be opened. */
function failureAtStart(kind: FailureKind | null, reason: string): Failure {
  // First bytes that aren't HTTP/2: the endpoint speaks another protocol.
  const isLasting = kind === 'malformed-response';
  return failureOf(kind ?? 'reset', false, new Error(reason), isLasting);
}
