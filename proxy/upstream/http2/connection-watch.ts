// The timers of one HTTP/2 connection: answers to SETTINGS and PING, idleness, age. Thread: worker.

import { WheelTimer } from '../../../core/timer-wheel.ts';
import type { Http2Parts } from './http2-parts.ts';

/** A connection without any byte from the endpoint for this long becomes doubtful when a request on it is cancelled. */
const DOUBT_AFTER_MS = 500;

/** Time for the acknowledgement of our SETTINGS (RFC 9113 section 6.5.3): far beyond any round trip. */
const SETTINGS_ACK_MS = 20_000;

/** An answer that an endpoint owes. */
export type Owed = 'SETTINGS' | 'SETTINGS acknowledgement' | 'PING';

/** The connection that is watched. */
export interface Watched {
  /** Whether it has no streams. */
  readonly isIdle: boolean;
  /** An answer has not come in time. */
  onReplyTimeout(owed: Owed): void;
  /** It has been idle, or open, for long enough. */
  onExpired(): void;
  sendPing(): void;
}

export class ConnectionWatch {
  readonly #parts: Http2Parts;
  readonly #watched: Watched;
  readonly #replyMs: number;
  readonly #keepAliveMs: number;
  readonly #reply: WheelTimer;
  readonly #acknowledgement: WheelTimer;
  readonly #idle: WheelTimer;
  readonly #age: WheelTimer;
  #idleSinceMs = 0;
  #receivedMs = 0;
  /** Whether a PING of ours is unanswered. */
  #isInDoubt = false;

  constructor(parts: Http2Parts, times: { readonly replyMs: number; readonly keepAliveMs: number }, watched: Watched) {
    this.#parts = parts;
    this.#watched = watched;
    this.#replyMs = times.replyMs;
    this.#keepAliveMs = times.keepAliveMs;
    this.#reply = new WheelTimer(() => this.#watched.onReplyTimeout(this.#isInDoubt ? 'PING' : 'SETTINGS'));
    this.#acknowledgement = new WheelTimer(() => this.#watched.onReplyTimeout('SETTINGS acknowledgement'));
    this.#idle = new WheelTimer(() => this.#idled());
    this.#age = new WheelTimer(() => this.#watched.onExpired());
  }

  /** Whether the endpoint has to prove that it lives before it gets another request. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** How long the connection has been idle, in ms. Only while it is. */
  get idleMs(): number {
    return this.#parts.turn.nowMs() - this.#idleSinceMs;
  }

  /** SETTINGS were sent: the endpoint's are due. */
  begin(): void {
    this.#arm(this.#reply, this.#replyMs);
    this.#arm(this.#acknowledgement, SETTINGS_ACK_MS);
  }

  /** The endpoint has acknowledged our SETTINGS. */
  acknowledged(): void {
    this.#parts.wheel.cancel(this.#acknowledgement);
  }

  /** The endpoint's SETTINGS have come. */
  started(ageMs: number): void {
    this.#parts.wheel.cancel(this.#reply);
    this.#arm(this.#age, ageMs);
    this.becameIdle();
  }

  received(): void {
    this.#receivedMs = this.#parts.turn.nowMs();
  }

  /** The last stream has ended. The timer is armed once for many streams: it checks the whole time. */
  becameIdle(): void {
    this.#idleSinceMs = this.#parts.turn.nowMs();
    if (!this.#idle.isArmed()) this.#arm(this.#idle, this.#keepAliveMs);
  }

  /**
   * A request that began at `sinceMs` was cancelled. Where the endpoint has sent nothing for a while, a PING separates a slow
   * one from a dead one. No PINGs otherwise: gRPC servers close connections that send one too often.
   */
  doubt(sinceMs: number): void {
    const silentMs = this.#parts.turn.nowMs() - Math.max(this.#receivedMs, sinceMs);
    if (this.#isInDoubt || silentMs < DOUBT_AFTER_MS) return;
    this.#isInDoubt = true;
    this.#watched.sendPing();
    this.#arm(this.#reply, this.#replyMs);
  }

  /** The endpoint has answered a PING. @returns whether it was one of ours */
  answered(): boolean {
    if (!this.#isInDoubt) return false;
    this.#isInDoubt = false;
    this.#parts.wheel.cancel(this.#reply);
    return true;
  }

  stop(): void {
    const { wheel } = this.#parts;
    wheel.cancel(this.#reply);
    wheel.cancel(this.#acknowledgement);
    wheel.cancel(this.#idle);
    wheel.cancel(this.#age);
  }

  #idled(): void {
    if (!this.#watched.isIdle) return;
    const leftMs = this.#keepAliveMs - this.idleMs;
    if (leftMs > 0) this.#arm(this.#idle, leftMs);
    else this.#watched.onExpired();
  }

  #arm(timer: WheelTimer, delayMs: number): void {
    this.#parts.wheel.arm(timer, delayMs, this.#parts.turn.nowMs());
  }
}
