// One client connection on node:http: its requests in order, its limits, and its end. Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import type { LocalReply, Unparsable } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { jittered } from '../accept/connection-ledger.ts';
import { DISCARD_LIMIT_MS, LingeringClose } from '../accept/lingering-close.ts';
import { SendRate } from '../accept/send-rate.ts';
import type { Swept } from '../accept/sweeper.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import { checkTransition, evictIn, Phase } from '../http1/connection-phase.ts';
import type { NodeHttp1ClientSide, NodeHttp1Host } from './node-http1-client-side.ts';
import { isIncomplete, type NodeHttp1Turn, NodeHttp1Turns } from './node-http1-turns.ts';

export class NodeHttp1Connection implements NodeHttp1Host, Swept, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly #context: DownstreamContext;
  readonly #turns: NodeHttp1Turns;
  readonly #rate: SendRate;
  #phase: Phase = Phase.WAITING;
  /** Monotonic ms at which the phase began. */
  #sinceMs: number;
  #requestsLeft: number;
  #hadRequest = false;
  /** socket.bytesRead when the connection began to wait. */
  #markBytes = 0;
  /** socket.bytesWritten when the turn began. */
  #sentBytes = 0;
  /** The last turn refuses an unparsable request: whatever follows it is dropped. */
  #isDoomed = false;
  /** The client has half-closed: no byte follows. */
  #hasEnded = false;
  #lingering: LingeringClose | null = null;

  constructor(context: DownstreamContext, client: ClientSocket, listener: ListenerSnapshot) {
    this.client = client;
    this.listener = listener;
    this.#context = context;
    this.#sinceMs = context.clock.nowMs();
    this.#requestsLeft = jittered(listener.limits.requestsPerConnection, context.random);
    this.#turns = new NodeHttp1Turns(client.stream);
    this.#rate = new SendRate(client.raw);
    const { stream } = client;
    // node:http calls this after the last response. Its own version could reset the connection.
    stream.destroySoon = () => this.linger();
    stream.on('timeout', () => this.#sendTimedOut());
    stream.on('end', () => this.#halfClosed());
    stream.on('close', () => this.#closed());
    stream.on('resume', () => this.#turns.holdAgain());
    context.sweeper.add(this);
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  get isFree(): boolean {
    return this.#turns.length === 0;
  }

  // ---- requests

  /** Serves a request now, or after those before it. */
  enqueue(turn: NodeHttp1Turn): void {
    if (this.#isDoomed || this.#phase >= Phase.LINGERING) {
      turn.request?.resume();
      return;
    }
    this.#turns.push(turn);
    if (this.#turns.length === 1) this.#beginTurn(turn);
  }

  #beginTurn(turn: NodeHttp1Turn): void {
    const receivedMs = this.#phase === Phase.HEAD ? this.#sinceMs : this.clock.nowMs();
    this.#enter(Phase.BUSY);
    this.#hadRequest = true;
    this.#requestsLeft -= 1;
    this.#sentBytes = this.client.stream.bytesWritten;
    if (this.#hasEnded && isIncomplete(turn)) this.client.stream.destroy();
    else turn.begin(receivedMs);
  }

  /**
   * The received bytes are not HTTP, or exceed a limit: as the body of the last request, or in place of the next one.
   * Requests before them are served.
   */
  unparsable(why: Unparsable): void {
    if (this.#isDoomed || this.#phase >= Phase.LINGERING) return;
    const { last } = this.#turns;
    if (last === undefined || !isIncomplete(last)) this.endWith(() => this.#refuse(why));
    else if (this.#turns.length > 1) {
      // A queued request whose body is malformed never begins.
      this.#turns.pop();
      this.endWith(() => this.#refuse('malformed'));
    } else if (this.#phase === Phase.DISCARDING) this.linger();
    else last.side!.bodyFailed('malformed-body');
  }

  /** Has `begin` be the last turn: whatever follows it is dropped. Without effect where the connection is ending. */
  endWith(begin: () => void): void {
    this.enqueue({ side: null, request: null, goOn: null, isUpgrade: false, begin });
    this.#isDoomed = true;
  }

  /** In the last turn: another server takes the stream. @returns false where it can't, and the connection ends */
  release(): boolean {
    if (this.#hasEnded) this.linger();
    else {
      this.#context.sweeper.delete(this);
      this.#enter(Phase.GONE);
    }
    return !this.#hasEnded;
  }

  /** Answers an unparsable request, past node:http, and ends the connection. */
  #refuse(why: Unparsable): void {
    this.client.stream.write(rawReply(this.#context.starter.refuse(this.client.facts, why), this.clock.wallMs()));
    this.linger(true);
  }

  // ---- NodeHttp1Host

  mayPersist(): boolean {
    const isLast = this.#hasEnded && this.#turns.length === 1;
    return this.#requestsLeft > 0 && !isLast && !this.#context.isDraining();
  }

  responseFlushed(): void {
    if (this.#phase !== Phase.BUSY) return;
    const side = this.#turns.current?.side;
    if (side?.willClose === true) this.linger();
    else if (side?.body.isDiscarding === true) this.#discardRest(side);
    else this.#turnOver();
  }

  restDiscarded(): void {
    if (this.#phase !== Phase.DISCARDING) return;
    if (this.#turns.current?.side?.body.isDiscardOver === true) this.linger();
    else this.#turnOver();
  }

  setSendTimeout(limitMs: number): void {
    // Node's own timer of the socket is the only one that sees progress within one large write.
    this.client.stream.setTimeout(limitMs);
    if (limitMs > 0) this.#rate.begin(this.clock.nowMs());
    else this.#rate.end();
  }

  #discardRest(side: NodeHttp1ClientSide): void {
    if (side.body.isDiscardOver || this.#hasEnded) this.linger();
    else this.#enter(Phase.DISCARDING);
  }

  #turnOver(): void {
    const { goOn } = this.#turns.shift();
    const next = this.#turns.current;
    if (next !== undefined) return this.#beginTurn(next);
    this.#markBytes = this.client.stream.bytesRead;
    this.#enter(Phase.WAITING);
    if (this.#hasEnded) this.linger();
    else goOn?.();
  }

  sweep(nowMs: number): void {
    const phaseMs = nowMs - this.#sinceMs;
    switch (this.#phase) {
      case Phase.WAITING:
        return this.#sweepWaiting(nowMs);
      case Phase.HEAD:
        // Slowloris: a head that arrives byte by byte holds a connection only for so long.
        if (phaseMs > this.listener.timeouts.headMs) this.unparsable('head-timeout');
        return;
      case Phase.BUSY:
        return this.#sweepBusy(nowMs);
      case Phase.LINGERING:
        return this.#sweepLingering(nowMs);
      default:
        if (this.#phase === Phase.DISCARDING && phaseMs > DISCARD_LIMIT_MS) this.linger();
    }
  }

  #sweepWaiting(nowMs: number): void {
    const { keepAliveMs, headMs } = this.listener.timeouts;
    const { isDraining, mayBeIdleUntilMs } = this.#context;
    if (this.client.stream.bytesRead > this.#markBytes) this.#enter(Phase.HEAD);
    else if (nowMs - this.#sinceMs > (this.#hadRequest ? keepAliveMs : headMs)) this.linger();
    else if (isDraining() && nowMs > mayBeIdleUntilMs(this.#sinceMs)) this.linger();
  }

  #sweepBusy(nowMs: number): void {
    this.#turns.current?.side?.sweep(nowMs);
    if (this.#rate.isTooSlow(nowMs, this.listener.timeouts.sendIdleMs)) this.#sendTimedOut();
    if (this.#hasEnded && this.#turns.current?.isUpgrade !== true) this.client.probe(nowMs);
  }

  #sweepLingering(nowMs: number): void {
    const { stream } = this.client;
    // While our own last bytes are in flight, 'timeout' of the socket bounds them.
    if (this.#lingering!.isOver(stream.bytesRead, nowMs) && stream.writableFinished) stream.destroy();
  }

  #sendTimedOut(): void {
    this.#turns.current?.side?.sendTimedOut();
    if (this.#phase === Phase.LINGERING) this.client.reset();
  }

  startDrain(): void {
    this.sweep(this.clock.nowMs());
  }

  destroy(): void {
    this.client.reset();
  }

  evict(mayBeIdle: boolean): boolean {
    const { stream } = this.client;
    return evictIn(this.#phase, mayBeIdle || !this.#hadRequest || stream.bytesRead > this.#markBytes, stream);
  }

  /** Closes our side after the written bytes, and reads until the client closes. */
  linger(isBodyDue = this.#turns.current?.side?.body.isDiscarding ?? false): void {
    if (this.#phase >= Phase.LINGERING) return;
    const { stream } = this.client;
    this.#enter(Phase.LINGERING);
    this.#lingering = new LingeringClose(this.#sinceMs, isBodyDue, stream.bytesRead);
    if (stream.writableLength > 0) this.setSendTimeout(this.listener.timeouts.sendIdleMs);
    this.#turns.release();
    stream.end();
    stream.resume();
  }

  /**
   * FIN means that the client sends nothing more, not that it has gone: requests that were received whole are answered,
   * pipelined ones too.
   */
  #halfClosed(): void {
    this.#hasEnded = true;
    const turn = this.#turns.current;
    if (this.#phase >= Phase.LINGERING || turn?.isUpgrade === true) return;
    if (turn === undefined || this.#phase === Phase.DISCARDING) this.linger();
    else if (isIncomplete(turn) && !turn.side!.isEnded) this.client.stream.destroy();
    else turn.side?.halfClosed();
  }

  #closed(): void {
    this.#context.sweeper.delete(this);
    const turn = this.#turns.current;
    this.#enter(Phase.GONE);
    // Bytes that were sent before any of ours are a tunnel's.
    turn?.side?.closed(turn.isUpgrade && this.client.stream.bytesWritten > this.#sentBytes);
  }

  #enter(phase: Phase): void {
    checkTransition(this.#phase, phase);
    this.#phase = phase;
    this.#sinceMs = this.clock.nowMs();
  }
}

/** Encodes a local reply that node:http can't write: there is no parsed request. @param wallMs for its Date field */
export function rawReply(reply: LocalReply, wallMs: number): Buffer {
  let head = `HTTP/1.1 ${reply.status} ${reply.reason}\r\nDate: ${new Date(wallMs).toUTCString()}\r\n`;
  for (let at = 0; at < reply.fields.length; at += 2) head += `${reply.fields[at]}: ${reply.fields[at + 1]}\r\n`;
  head += `Connection: close\r\nContent-Length: ${reply.body.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), reply.body]);
}
