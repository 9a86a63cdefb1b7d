// One client connection of the HTTP/1.1 engine: its requests in order, its limits, and its end. Behaves as
// NodeHttp1Connection does. Thread: worker.

import type { Socket } from 'node:net';
import type { Unparsable } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { FieldLines } from '../../http1/field-line.ts';
import { Scan } from '../../http1/head-scanner.ts';
import { type ClientSocket, PRESENCE_PROBE_MS } from '../accept/client-socket.ts';
import { jittered } from '../accept/connection-ledger.ts';
import { DISCARD_LIMIT_MS, LingeringClose } from '../accept/lingering-close.ts';
import type { DrainableConnection } from '../downstream-context.ts';
import { ConnectionPhase, evictIn, Phase } from './connection-phase.ts';
import { unparsableOf, Verdict, verdictOn } from './hand-off.ts';
import { Http1ClientSide, type Http1Host } from './http1-client-side.ts';
import type { Http1Context } from './http1-context.ts';
import { Http1Input } from './http1-input.ts';
import type { Http1Listener } from './http1-listener.ts';
import { BodyStep } from './http1-request-body.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';

export class Http1Connection implements Http1Host, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly keepAliveLines: FieldLines;
  readonly #context: Http1Context;
  readonly #socket: Socket;
  readonly #side: Http1ClientSide;
  readonly #input: Http1Input;
  readonly #phase: ConnectionPhase;
  /** Hands the connection off to node:http. */
  readonly #handOver: (client: ClientSocket) => void;
  #requestsLeft: number;
  #closing: Http1Closing | null = null;

  constructor(
    context: Http1Context,
    settings: Http1Listener,
    client: ClientSocket,
    handOver: (client: ClientSocket) => void,
  ) {
    const { limits, timeouts } = settings.snapshot;
    this.client = client;
    this.listener = settings.snapshot;
    this.keepAliveLines = settings.keepAliveLines;
    this.#context = context;
    this.#socket = client.stream;
    this.#input = new Http1Input(client, settings);
    this.#handOver = handOver;
    this.#side = new Http1ClientSide(this, context);
    this.#requestsLeft = jittered(limits.requestsPerConnection, context.random);
    this.#phase = new ConnectionPhase(context.wheel, context.turn, (nowMs) => this.#expired(nowMs));
    this.#phase.setDeadline(timeouts.headMs);
    this.#side.attach();
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  // ---- reading

  readonly #onData = (bytes: Buffer): void => {
    const { turn } = this.#context;
    turn.begin();
    this.#input.held.add(bytes);
    this.#read();
    turn.end();
  };

  readonly #step = (): boolean => {
    switch (this.#phase.current) {
      case Phase.WAITING:
      case Phase.HEAD:
        return this.#readHead();
      case Phase.BUSY:
      case Phase.DISCARDING:
        return this.#readBody();
      default:
        this.#closing?.drop(this.#input.held);
        return false;
    }
  };

  /** Processes the received bytes as far as the current phase allows. */
  #read(): void {
    if (!this.#input.process(this.#step)) return;
    if (this.#input.hasEnded) this.#endAfterFin();
    this.#regulate();
  }

  #readHead(): boolean {
    const result = this.#input.scanHead();
    if (result === Scan.INCOMPLETE) {
      if (this.#phase.current === Phase.WAITING) {
        this.#phase.enterFor(Phase.HEAD, this.listener.timeouts.headMs);
      }
      return false;
    }
    const error = result === Scan.COMPLETE ? 0 : result;
    const verdict = verdictOn(this.#input.head.message, error);
    if (verdict === Verdict.SERVE) this.#begin();
    else if (verdict === Verdict.REFUSE) this.#refuse(unparsableOf(error));
    else this.#handOff();
    return true;
  }

  #begin(): void {
    const { head, held } = this.#input;
    held.consumeTo(head.message.bodyStart);
    const receivedMs = this.#phase.current === Phase.HEAD ? this.#phase.sinceMs : this.#context.turn.nowMs();
    this.#phase.enter(Phase.BUSY);
    this.#phase.clearDeadline();
    this.#requestsLeft -= 1;
    this.#side.begin(head, receivedMs);
  }

  #readBody(): boolean {
    const step = this.#side.readBody(this.#input.held);
    if (step === BodyStep.STOPPED) return false;
    if (step === BodyStep.MALFORMED) this.#bodyMalformed();
    else if (this.#phase.current === Phase.DISCARDING && !this.#side.body.isDiscarding) this.#turnOver();
    else if (this.#phase.current === Phase.DISCARDING && this.#side.body.isDiscardOver) this.#linger();
    return true;
  }

  /** Bytes after a malformed body can't be distinguished from it: nothing more is parsed as a request. */
  #bodyMalformed(): void {
    this.#input.held.clear();
    if (this.#phase.current === Phase.DISCARDING) this.#linger();
    else this.#side.bodyFailed('malformed-body');
  }

  bodyResumed(): void {
    this.#read();
  }

  /** Once the received bytes are processed: bounds the held bytes, and the time until the next bytes of a body. */
  #regulate(): void {
    const isBusy = this.#phase.current === Phase.BUSY;
    if (isBusy && this.#side.body.isFlowing) this.#phase.setDeadline(this.listener.timeouts.bodyIdleMs);
    else if (isBusy && this.#input.hasEnded) this.#phase.setDeadline(PRESENCE_PROBE_MS);
    else if (isBusy) this.#phase.clearDeadline();
    this.#input.bound(isBusy);
  }

  /** node:http serves the connection from here on, this request first. */
  #handOff(): void {
    // An ended stream takes no bytes back: a pipelined request for node:http can't be served after FIN.
    if (this.#input.hasEnded) {
      this.#linger();
      return;
    }
    this.#phase.enter(Phase.GONE);
    this.#context.ledger.handedOff(this.client.facts.listenerIndex);
    this.#side.detach();
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#input.unread();
    this.#handOver(this.client);
  }

  /** Answers an unparsable request, and ends the connection. */
  #refuse(why: Unparsable): void {
    this.#side.writeRefusal(this.#context.starter.refuse(this.client.facts, why));
    this.#linger(true);
  }

  // ---- Http1Host

  mayPersist(): boolean {
    const { hasEnded, held } = this.#input;
    return this.#requestsLeft > 0 && !(hasEnded && held.length === 0) && !this.#context.isDraining();
  }

  responseFlushed(): void {
    if (this.#phase.current !== Phase.BUSY) return;
    const { body, willClose } = this.#side;
    if (willClose || body.isDiscardOver) this.#linger();
    else if (!body.isDiscarding) this.#turnOver();
    else {
      this.#phase.enterFor(Phase.DISCARDING, DISCARD_LIMIT_MS);
      this.#read();
    }
  }

  #turnOver(): void {
    this.#phase.enterFor(Phase.WAITING, this.listener.timeouts.keepAliveMs);
    // The head of the response was sent before the drain began, and said keep-alive.
    if (this.#context.isDraining()) this.startDrain();
    this.#read();
  }

  // ---- limits

  #expired(nowMs: number): void {
    switch (this.#phase.current) {
      case Phase.HEAD:
        // Slowloris: a head that arrives byte by byte holds a connection only for so long.
        this.#input.held.clear();
        this.#refuse('head-timeout');
        break;
      case Phase.BUSY:
        if (this.#side.body.isFlowing) this.#side.bodyFailed('body-timeout');
        else if (this.#input.hasEnded) this.client.probe(nowMs);
        this.#regulate();
        break;
      case Phase.LINGERING:
        this.#closing!.check(nowMs);
        break;
      case Phase.GONE:
        break;
      default:
        this.#linger();
    }
  }

  // ---- half-close

  /**
   * FIN means that the client sends nothing more, not that it has gone: requests that were received whole are answered,
   * pipelined ones too.
   */
  readonly #onEnd = (): void => {
    const { turn } = this.#context;
    this.#input.hasEnded = true;
    turn.begin();
    this.#read();
    if (this.#phase.current === Phase.BUSY) this.#side.halfClosed();
    turn.end();
  };

  /** Ends the connection where no request is left that was received whole. */
  #endAfterFin(): void {
    if (this.#phase.current !== Phase.BUSY) this.#linger();
    else if (this.#input.held.length === 0 && this.#side.body.isOpen) this.#socket.destroy();
  }

  // ---- closing

  startDrain(): void {
    if (this.#phase.current !== Phase.WAITING) return;
    const leftMs = this.#context.mayBeIdleUntilMs(this.#phase.sinceMs) - this.#context.turn.nowMs();
    if (leftMs <= 0) this.#linger();
    else this.#phase.shortenDeadline(leftMs);
  }

  destroy(): void {
    this.client.reset();
  }

  evict(mayBeIdle: boolean): boolean {
    return evictIn(this.#phase.current, mayBeIdle || this.#socket.bytesRead === 0, this.#socket);
  }

  /** Closes our side after the written bytes, and reads until the client closes. */
  #linger(isBodyDue = this.#side.body.isDiscarding): void {
    if (this.#phase.current >= Phase.LINGERING) return;
    this.#phase.enter(Phase.LINGERING);
    this.#closing = new Http1Closing(this.#socket, this.#phase, this.listener.timeouts.sendIdleMs, isBodyDue);
    this.#closing.drop(this.#input.held);
    this.#socket.end();
    this.#input.bound(false);
  }

  readonly #onClose = (): void => {
    const { turn } = this.#context;
    this.#phase.enter(Phase.GONE);
    this.#input.release(this.#side.isBusy);
    turn.begin();
    this.#side.closed();
    turn.end();
  };
}

/** The lingering phase: the response is sent, and what the client still sends is read for a while, so that it isn't reset. */
class Http1Closing {
  readonly #socket: Socket;
  readonly #phase: ConnectionPhase;
  readonly #sendIdleMs: number;
  readonly #limits: LingeringClose;

  /** The caller has just entered the phase. @param isBodyDue whether the client has not sent the whole request yet */
  constructor(socket: Socket, phase: ConnectionPhase, sendIdleMs: number, isBodyDue: boolean) {
    this.#socket = socket;
    this.#phase = phase;
    this.#sendIdleMs = sendIdleMs;
    this.#limits = new LingeringClose(phase.sinceMs, isBodyDue, socket.bytesRead);
    this.check(phase.sinceMs);
  }

  /** Drops received bytes. */
  drop(held: HeldBytes): void {
    if (!this.#limits.readUpTo(this.#socket.bytesRead, this.#phase.nowMs)) this.#socket.destroy();
    held.clear();
  }

  /** Closes the connection where its time is over. */
  check(nowMs: number): void {
    const delayMs = this.#limits.delayMs(nowMs, this.#socket.writableFinished, this.#sendIdleMs);
    if (delayMs > 0) this.#phase.setDeadline(delayMs);
    else this.#socket.destroy();
  }
}
