// One client's HTTP/1.1 connection on the fast path: its requests in turn, its limits, and how it ends. Behaves as
// NodeHttp1Connection does. Thread: worker.

import type { Socket } from 'node:net';
import type { Unparsable } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { WheelTimer } from '../../../core/timer-wheel.ts';
import type { FieldLines } from '../../http1/field-line.ts';
import { Scan } from '../../http1/head-scanner.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DrainableConnection } from '../downstream-context.ts';
import { MAX_DISCARD_BYTES } from '../node/node-http1-request-body.ts';
import { jittered } from '../accept/request-quota.ts';
import { Http1ClientSide, type Http1Host } from './http1-client-side.ts';
import type { Http1Context } from './http1-context.ts';
import type { Http1Listener } from './http1-listener.ts';
import { BodyStep } from './http1-request-body.ts';
import { unparsableOf, Verdict, verdictOn } from './hand-off.ts';
import type { RequestScan } from './request-scan.ts';

/**
 * Where a connection is. WAITING: for the first byte of a request. HEAD: a part of a head has come. BUSY: an exchange
 * runs. RESTING: its response is out, and the rest of the request's body is being discarded. LINGERING: our side is
 * closed, the client's is read until it closes, so that no reset destroys what it hasn't read yet (RFC 9112 section 9.6).
 * GONE: closed, or the general path's.
 */
const Phase = { WAITING: 0, HEAD: 1, BUSY: 2, RESTING: 3, LINGERING: 4, GONE: 5 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Sets of phases that may follow each phase. */
const NEXT_PHASES: readonly number[] = [
  setOf(Phase.HEAD, Phase.BUSY, Phase.LINGERING, Phase.GONE),
  setOf(Phase.BUSY, Phase.LINGERING, Phase.GONE),
  setOf(Phase.WAITING, Phase.RESTING, Phase.LINGERING, Phase.GONE),
  setOf(Phase.WAITING, Phase.LINGERING, Phase.GONE),
  setOf(Phase.GONE),
  0,
];

function setOf(...phases: readonly Phase[]): number {
  return phases.reduce((set: number, phase) => set | (1 << phase), 0);
}

/** For the rest of a body, and for the client to close: a long round trip, and no more than that. */
const REST_LIMIT_MS = 1000;
const LINGER_LIMIT_MS = 1000;

/** Bytes that wait for their turn; behind them the socket isn't read (memory exhaustion by pipelining). */
const MAX_WAITING_BYTES = 65_536;

const NEVER = Number.POSITIVE_INFINITY;

export class Http1Connection implements Http1Host, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly keepAliveLines: FieldLines;
  readonly #context: Http1Context;
  readonly #settings: Http1Listener;
  readonly #socket: Socket;
  readonly #side: Http1ClientSide;
  readonly #input = new HeldBytes();
  /** Gives the connection to the general path. */
  readonly #handOver: (client: ClientSocket) => void;
  #phase: Phase = Phase.WAITING;
  /** Monotonic ms at which the phase began. */
  #sinceMs: number;
  /** Made when the first bytes come. */
  #scan: RequestScan | null = null;
  #requestsLeft: number;
  #isReading = false;
  #isHolding = false;
  #lingeredBytes = 0;
  /** The one timer: armed no later than `#deadlineMs`, and armed again where it fires too early. */
  readonly #timer: WheelTimer = new WheelTimer(() => this.#timeOver());
  #deadlineMs = NEVER;

  constructor(
    context: Http1Context,
    settings: Http1Listener,
    client: ClientSocket,
    handOver: (client: ClientSocket) => void,
  ) {
    this.client = client;
    this.listener = settings.snapshot;
    this.keepAliveLines = settings.keepAliveLines;
    this.#context = context;
    this.#settings = settings;
    this.#socket = client.stream;
    this.#handOver = handOver;
    this.#side = new Http1ClientSide(this, context);
    this.#requestsLeft = jittered(settings.snapshot.limits.requestsPerConnection, context.random);
    this.#sinceMs = context.turn.nowMs();
    this.#setDeadline(settings.snapshot.timeouts.headMs);
    this.#listen();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('timeout', this.#onTimeout);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
  }

  // ---- what comes

  readonly #onData = (bytes: Buffer): void => {
    const { turn } = this.#context;
    turn.begin();
    this.#input.add(bytes);
    this.#read();
    turn.end();
  };

  /** Uses up what has come, as far as it goes. */
  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#input.length > 0 && this.#step());
    this.#isReading = false;
    this.#regulate();
  }

  /** @returns whether it may go on */
  #step(): boolean {
    switch (this.#phase) {
      case Phase.WAITING:
      case Phase.HEAD:
        return this.#readHead();
      case Phase.BUSY:
      case Phase.RESTING:
        return this.#readBody();
      default:
        this.#drop();
        return false;
    }
  }

  #readHead(): boolean {
    this.#scan ??= this.#settings.takeScan();
    const result = this.#scan.next(this.#input);
    if (result === Scan.INCOMPLETE) {
      if (this.#phase === Phase.WAITING) this.#beginHead();
      return false;
    }
    const { head } = this.#scan;
    const error = result === Scan.COMPLETE ? 0 : result;
    const verdict = verdictOn(head.message, error);
    if (verdict === Verdict.SERVE) this.#begin(head);
    else if (verdict === Verdict.REFUSE) this.#refuse(unparsableOf(error));
    else this.#handOff();
    return true;
  }

  #beginHead(): void {
    this.#enter(Phase.HEAD);
    this.#setDeadline(this.listener.timeouts.headMs);
  }

  #begin(head: ScannedRequestHead): void {
    this.#input.consumeTo(head.message.bodyStart);
    const receivedMs = this.#phase === Phase.HEAD ? this.#sinceMs : this.#context.turn.nowMs();
    this.#enter(Phase.BUSY);
    this.#deadlineMs = NEVER;
    this.#requestsLeft -= 1;
    this.#side.begin(head, receivedMs);
  }

  #readBody(): boolean {
    const step = this.#side.readBody(this.#input);
    if (step === BodyStep.STOPPED) return false;
    if (step === BodyStep.MALFORMED) this.#bodyMalformed();
    else if (this.#phase === Phase.RESTING && !this.#side.body.isDiscarding) this.#turnOver();
    else if (this.#phase === Phase.RESTING && this.#side.body.isDiscardOver) this.#linger();
    return true;
  }

  /** What follows a broken body can't be told from it: nothing more is read as a request. */
  #bodyMalformed(): void {
    this.#input.clear();
    if (this.#phase === Phase.RESTING) this.#linger();
    else this.#side.bodyFailed('malformed-body');
  }

  bodyResumed(): void {
    this.#read();
  }

  /** After all that came was used: bounds what waits, and for how long the next bytes of a body may take. */
  #regulate(): void {
    const isBusy = this.#phase === Phase.BUSY;
    if (isBusy && this.#side.body.isFlowing) this.#setDeadline(this.listener.timeouts.bodyIdleMs);
    else if (isBusy) this.#deadlineMs = NEVER;
    this.#hold(isBusy && this.#input.length > MAX_WAITING_BYTES);
  }

  #hold(mustHold: boolean): void {
    if (mustHold === this.#isHolding) return;
    this.#isHolding = mustHold;
    if (mustHold) this.#socket.pause();
    else this.#socket.resume();
  }

  /** The general path serves the connection from here on, this request first. */
  #handOff(): void {
    const socket = this.#socket;
    const { bytes, start, end } = this.#input;
    this.#input.clear();
    this.#enter(Phase.GONE);
    this.#context.wheel.cancel(this.#timer);
    this.#context.ledger.handedOff(this.client.facts.listenerIndex);
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('timeout', this.#onTimeout);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.unshift(bytes.subarray(start, end));
    this.#handOver(this.client);
  }

  /** Answers what is no request, and ends the connection. */
  #refuse(why: Unparsable): void {
    this.#side.writeRefusal(this.#context.starter.refuse(this.client.facts, why));
    this.#linger();
  }

  // ---- Http1Host: what the client's side tells

  mayPersist(): boolean {
    return this.#requestsLeft > 0 && !this.#context.isDraining();
  }

  responseFlushed(): void {
    if (this.#phase !== Phase.BUSY) return;
    const { body, willClose } = this.#side;
    if (willClose || body.isDiscardOver) this.#linger();
    else if (body.isDiscarding) this.#rest();
    else this.#turnOver();
  }

  #rest(): void {
    this.#enter(Phase.RESTING);
    this.#setDeadline(REST_LIMIT_MS);
    this.#read();
  }

  #turnOver(): void {
    this.#enter(Phase.WAITING);
    this.#setDeadline(this.listener.timeouts.keepAliveMs);
    // The head of the response was out before the drain began, and promised to go on.
    if (this.#context.isDraining()) this.startDrain();
    this.#read();
  }

  // ---- limits

  /** The timer stays where it is armed early enough: a keep-alive connection arms it once in many requests. */
  #setDeadline(delayMs: number): void {
    const nowMs = this.#context.turn.nowMs();
    const timer = this.#timer;
    this.#deadlineMs = nowMs + delayMs;
    if (!timer.isArmed() || timer.deadlineMs > this.#deadlineMs) this.#context.wheel.arm(timer, delayMs, nowMs);
  }

  #timeOver(): void {
    if (this.#deadlineMs === NEVER) return;
    const { turn, wheel } = this.#context;
    const nowMs = turn.nowMs();
    const leftMs = this.#deadlineMs - nowMs;
    if (leftMs > 0) {
      wheel.arm(this.#timer, leftMs, nowMs);
      return;
    }
    turn.begin();
    this.#tooLate(nowMs);
    turn.end();
  }

  #tooLate(nowMs: number): void {
    switch (this.#phase) {
      case Phase.HEAD:
        // Slowloris: a head that comes byte by byte holds a connection only so long.
        this.#input.clear();
        this.#refuse('head-timeout');
        break;
      case Phase.BUSY:
        if (this.#side.body.isFlowing) this.#side.bodyFailed('body-timeout');
        break;
      case Phase.LINGERING:
        this.#lingeredLong(nowMs);
        break;
      case Phase.GONE:
        break;
      default:
        this.#linger();
    }
  }

  // ---- ends

  startDrain(): void {
    if (this.#phase !== Phase.WAITING) return;
    const nowMs = this.#context.turn.nowMs();
    const leftMs = this.#context.mayBeIdleUntilMs(this.#sinceMs) - nowMs;
    if (leftMs <= 0) this.#linger();
    else this.#setDeadline(Math.min(leftMs, this.#deadlineMs - nowMs));
  }

  destroy(): void {
    this.client.reset();
  }

  /** Closes our side after what is written, and waits for the client's. */
  #linger(): void {
    if (this.#phase >= Phase.LINGERING) return;
    this.#enter(Phase.LINGERING);
    this.#drop();
    this.#socket.end();
    this.#hold(false);
    this.#setDeadline(LINGER_LIMIT_MS);
  }

  /** While our own last bytes are still on their way the client has the time that it always has for them. */
  #lingeredLong(nowMs: number): void {
    const leftMs = this.#sinceMs + this.listener.timeouts.sendIdleMs - nowMs;
    if (!this.#socket.writableFinished && leftMs > 0) this.#setDeadline(Math.min(leftMs, LINGER_LIMIT_MS));
    else this.#socket.destroy();
  }

  #drop(): void {
    this.#lingeredBytes += this.#input.length;
    this.#input.clear();
    if (this.#lingeredBytes > MAX_DISCARD_BYTES) this.#socket.destroy();
  }

  readonly #onDrain = (): void => {
    const { turn } = this.#context;
    turn.begin();
    this.#side.drained();
    turn.end();
  };

  readonly #onTimeout = (): void => this.#side.sendTimedOut();

  /** Half-closed is gone: FIN is all that most clients send when they give up, and what they wanted is then in vain. */
  readonly #onEnd = (): void => {
    if (this.#phase >= Phase.LINGERING) return;
    if (this.#phase === Phase.RESTING || (this.#phase === Phase.BUSY && this.#side.isEnded)) this.#linger();
    else this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    const { turn, wheel } = this.#context;
    this.#input.clear();
    this.#enter(Phase.GONE);
    wheel.cancel(this.#timer);
    if (this.#scan !== null && !this.#side.isBusy) this.#settings.giveScan(this.#scan);
    this.#scan = null;
    turn.begin();
    this.#side.closed();
    turn.end();
  };

  #enter(phase: Phase): void {
    if (((NEXT_PHASES[this.#phase]! >>> phase) & 1) === 0) {
      throw new Error(`a connection can't go from phase ${this.#phase} to ${phase}`);
    }
    this.#phase = phase;
    this.#sinceMs = this.#context.turn.nowMs();
  }
}
