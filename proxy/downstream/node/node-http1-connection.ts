// One HTTP/1.1 connection of a client on node:http: its requests in turn, its limits, and how it ends. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type { ClientConnection, Unparsable } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import type { NodeHttp1ClientSide, NodeHttp1Host } from './node-http1-client-side.ts';
import { MAX_DISCARD_BYTES } from './node-http1-request-body.ts';
import { rawReply } from './raw-reply.ts';
import { jittered } from '../accept/request-quota.ts';
import type { Swept } from '../accept/sweeper.ts';

/**
 * Where a connection is. waiting: for the first byte of a request. head: a part of a head has come. busy: an exchange
 * runs. resting: its response is out, and the rest of the request's body is being discarded. lingering: our side is
 * closed, the client's is read until it closes, so that no reset destroys what it hasn't read yet (RFC 9112 section 9.6).
 */
type Phase = 'waiting' | 'head' | 'busy' | 'resting' | 'lingering' | 'closed';

const NEXT_PHASES: Readonly<Record<Phase, readonly Phase[]>> = {
  waiting: ['head', 'busy', 'lingering', 'closed'],
  head: ['busy', 'lingering', 'closed'],
  busy: ['waiting', 'busy', 'resting', 'lingering', 'closed'],
  resting: ['waiting', 'busy', 'lingering', 'closed'],
  lingering: ['closed'],
  closed: [],
};

/** For the rest of a body, and for the client to close: a long round trip, and no more than that. */
const REST_LIMIT_MS = 1000;
const LINGER_LIMIT_MS = 1000;

/** Pipelined requests that are kept waiting; behind them the socket isn't read (memory exhaustion by pipelining). */
const MAX_WAITING_TURNS = 16;

/** One request on the connection; what it does when its turn comes. */
export interface NodeHttp1Turn {
  /** Null where what came was no request at all. */
  readonly side: NodeHttp1ClientSide | null;
  readonly request: IncomingMessage | null;
  /** Begins it; `receivedMs` is when its head's first byte came. */
  begin(receivedMs: number): void;
  /** Makes the connection go on after it; null where node:http does so by itself. */
  readonly goOn: (() => void) | null;
  /** Whether it may become a tunnel, which then speaks on the socket instead. */
  readonly isUpgrade: boolean;
}

export class NodeHttp1Connection implements NodeHttp1Host, Swept, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly #context: DownstreamContext;
  #phase: Phase = 'waiting';
  /** Monotonic ms at which the phase began. */
  #sinceMs: number;
  /** The first one is under way; the others have come behind it. */
  readonly #turns: NodeHttp1Turn[] = [];
  #requestsLeft: number;
  #hadRequest = false;
  /** socket.bytesRead when the connection began to wait, or to linger. */
  #markBytes: number;
  /** socket.bytesWritten when the turn began. */
  #sentBytes = 0;
  #isHolding = false;
  #isStreamed = false;
  /** An end that waits for the requests before it. */
  #isDoomed = false;

  constructor(context: DownstreamContext, client: ClientSocket, listener: ListenerSnapshot) {
    this.client = client;
    this.listener = listener;
    this.#context = context;
    this.#sinceMs = context.clock.nowMs();
    this.#markBytes = 0;
    this.#requestsLeft = jittered(listener.limits.requestsPerConnection, context.random);
    const { stream } = client;
    // node:http ends a connection with this after its last response. A plain close could reset it.
    stream.destroySoon = () => this.linger();
    stream.on('timeout', () => this.#sendTimedOut());
    // Half-closed is gone: FIN is all that most clients send when they give up, and what they wanted is then in vain.
    stream.on('end', () => this.#clientEnded());
    stream.on('close', () => this.#closed());
    stream.on('resume', () => this.#holdAgain());
    context.sweeper.add(this);
  }

  get facts(): ClientConnection {
    return this.client.facts;
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  /** Whether nothing is under way, so that the next request is the only one. */
  get isFree(): boolean {
    return this.#turns.length === 0;
  }

  // ---- requests

  /** A request has come: its turn is now, or after those before it. */
  enqueue(turn: NodeHttp1Turn): void {
    if (this.#isDoomed || this.#phase === 'lingering' || this.#phase === 'closed') {
      turn.request?.resume();
      return;
    }
    this.#turns.push(turn);
    if (this.#turns.length === 1) this.#beginTurn();
    else if (this.#turns.length > MAX_WAITING_TURNS) this.#hold();
  }

  #beginTurn(): void {
    const turn = this.#turns[0]!;
    const receivedMs = this.#phase === 'head' ? this.#sinceMs : this.clock.nowMs();
    this.#enter('busy');
    this.#hadRequest = true;
    this.#requestsLeft -= 1;
    this.#sentBytes = this.client.stream.bytesWritten;
    turn.begin(receivedMs);
  }

  /**
   * What has come is not HTTP, or too much of it. Of the body of the last request, or in the place of the next one;
   * what came before it is served.
   */
  unparsable(why: Unparsable): void {
    if (this.#isDoomed || this.#phase === 'lingering' || this.#phase === 'closed') return;
    const last = this.#turns.at(-1);
    if (last === undefined || last.request === null || last.request.complete) this.#enqueueRefusal(why);
    else if (this.#turns.length > 1) this.#replaceByRefusal();
    else if (this.#phase === 'resting') this.linger();
    else last.side!.bodyFailed('malformed-body');
  }

  /** A queued request whose body is malformed never begins. */
  #replaceByRefusal(): void {
    this.#turns.pop();
    this.#enqueueRefusal('malformed');
  }

  #enqueueRefusal(why: Unparsable): void {
    const begin = (): void => this.#refuse(why);
    this.enqueue({ side: null, request: null, goOn: null, isUpgrade: false, begin });
    this.#isDoomed = true;
  }

  /** Answers what is no request, past node:http, and ends the connection. */
  #refuse(why: Unparsable): void {
    this.client.stream.write(rawReply(this.#context.starter.refuse(this.facts, why), this.clock.wallMs()));
    this.linger();
  }

  // ---- NodeHttp1Host: what an exchange's side tells

  mayPersist(): boolean {
    return this.#requestsLeft > 0 && !this.#context.isDraining();
  }

  responseFlushed(): void {
    if (this.#phase !== 'busy') return;
    const { side } = this.#turns[0]!;
    if (side?.willClose === true) this.linger();
    else if (side?.body.isDiscarding === true) this.#rest(side);
    else this.#turnOver();
  }

  restDiscarded(): void {
    if (this.#phase !== 'resting') return;
    if (this.#turns[0]?.side?.body.isDiscardOver === true) this.linger();
    else this.#turnOver();
  }

  setSendTimeout(limitMs: number): void {
    // Node's own timer of a socket: it alone sees progress within one large write.
    this.client.stream.setTimeout(limitMs);
  }

  reset(): void {
    this.client.reset();
  }

  #rest(side: NodeHttp1ClientSide): void {
    if (side.body.isDiscardOver) this.linger();
    else this.#enter('resting');
  }

  #turnOver(): void {
    const { goOn } = this.#turns.shift()!;
    if (this.#isHolding && this.#turns.length <= MAX_WAITING_TURNS / 2) this.#release();
    if (this.#turns.length > 0) {
      this.#beginTurn();
      return;
    }
    this.#markBytes = this.client.stream.bytesRead;
    this.#enter('waiting');
    goOn?.();
  }

  // ---- limits

  sweep(nowMs: number): void {
    const { timeouts } = this.listener;
    const phaseMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case 'waiting':
        this.#sweepWaiting(nowMs);
        break;
      case 'head':
        // Slowloris: a head that comes byte by byte holds a connection only so long.
        if (phaseMs > timeouts.headMs) this.unparsable('head-timeout');
        break;
      case 'busy':
        this.#turns[0]!.side?.sweep(nowMs);
        break;
      case 'resting':
        if (phaseMs > REST_LIMIT_MS) this.linger();
        break;
      case 'lingering':
        this.#sweepLingering(phaseMs);
        break;
      default:
    }
  }

  #sweepWaiting(nowMs: number): void {
    const { keepAliveMs, headMs } = this.listener.timeouts;
    const { isDraining, mayBeIdleUntilMs } = this.#context;
    if (this.#readSinceMark() > 0) this.#enter('head');
    else if (nowMs - this.#sinceMs > (this.#hadRequest ? keepAliveMs : headMs)) this.linger();
    else if (isDraining() && nowMs > mayBeIdleUntilMs(this.#sinceMs)) this.linger();
  }

  /** While our own last bytes are still on their way, only the limit on sending counts. */
  #sweepLingering(phaseMs: number): void {
    const isOver = phaseMs > LINGER_LIMIT_MS || this.#readSinceMark() > MAX_DISCARD_BYTES;
    if (isOver && this.client.stream.writableFinished) this.client.stream.destroy();
  }

  #sendTimedOut(): void {
    this.#turns[0]?.side?.sendTimedOut();
    if (this.#phase === 'lingering') this.client.reset();
  }

  #readSinceMark(): number {
    return this.client.stream.bytesRead - this.#markBytes;
  }

  // ---- ends

  startDrain(): void {
    this.sweep(this.clock.nowMs());
  }

  destroy(): void {
    this.client.reset();
  }

  /** Closes our side after what is written, and waits for the client's. */
  linger(): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    this.#markBytes = this.client.stream.bytesRead;
    this.#enter('lingering');
    const { stream } = this.client;
    if (stream.writableLength > 0) this.setSendTimeout(this.listener.timeouts.sendIdleMs);
    stream.end();
    stream.resume();
  }

  #clientEnded(): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    const turn = this.#turns[0];
    if (turn?.isUpgrade === true) return;
    if (turn?.side?.isEnded === true) this.linger();
    else this.client.stream.destroy();
  }

  #closed(): void {
    this.#context.sweeper.delete(this);
    const turn = this.#turns[0];
    this.#turns.length = 0;
    this.#enter('closed');
    // Bytes that went out before any of ours are a tunnel's.
    turn?.side?.closed(turn.isUpgrade && this.client.stream.bytesWritten > this.#sentBytes);
  }

  // ---- pipelining

  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    const { stream } = this.client;
    // node:http reads past the stream as long as nobody listens to its data, and then a pause holds nothing.
    if (!this.#isStreamed) stream.on('data', () => undefined);
    this.#isStreamed = true;
    stream.pause();
  }

  /** node:http resumes its socket at the end of each request that it reads. */
  #holdAgain(): void {
    if (this.#isHolding && this.#phase !== 'lingering') this.client.stream.pause();
  }

  #release(): void {
    this.#isHolding = false;
    this.client.stream.resume();
  }

  #enter(phase: Phase): void {
    if (!NEXT_PHASES[this.#phase].includes(phase)) {
      throw new Error(`a connection can't go from ${this.#phase} to ${phase}`);
    }
    this.#phase = phase;
    this.#sinceMs = this.clock.nowMs();
  }
}
