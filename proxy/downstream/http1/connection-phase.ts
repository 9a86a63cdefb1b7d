// Phase of an HTTP/1.1 client connection: allowed transitions, and its deadline. Thread: worker.

import type { Socket } from 'node:net';
import { type TimerWheel, WheelTimer } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';

/**
 * WAITING: no byte of the next request has been received. HEAD: part of a head has been received. BUSY: an exchange is in
 * progress. DISCARDING: the response has been written and the rest of the request body is being dropped. LINGERING: our
 * side is closed, and the client's is read until it closes (RFC 9112 section 9.6). GONE: closed, or handed off.
 */
export const Phase = { WAITING: 0, HEAD: 1, BUSY: 2, DISCARDING: 3, LINGERING: 4, GONE: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** For each phase, the set of phases that may follow it. BUSY follows BUSY where a request has been pipelined. */
const ALLOWED: readonly number[] = [
  setOf(Phase.HEAD, Phase.BUSY, Phase.LINGERING, Phase.GONE),
  setOf(Phase.BUSY, Phase.LINGERING, Phase.GONE),
  setOf(Phase.WAITING, Phase.BUSY, Phase.DISCARDING, Phase.LINGERING, Phase.GONE),
  setOf(Phase.WAITING, Phase.BUSY, Phase.LINGERING, Phase.GONE),
  setOf(Phase.GONE),
  0,
];

function setOf(...phases: readonly Phase[]): number {
  return phases.reduce((set: number, phase) => set | (1 << phase), 0);
}

/** @throws Error where the transition isn't allowed: a bug, never caused by input alone */
export function checkTransition(from: Phase, to: Phase): void {
  if (((ALLOWED[from]! >>> to) & 1) === 0) throw new Error(`connection phase ${from} can't be followed by ${to}`);
}

/**
 * Closes a connection to make room for another one: see DrainableConnection. One that lingers is closed once its response has
 * been sent.
 * @param mayWait whether one may be closed that waits for a request
 */
export function evictIn(phase: Phase, mayWait: boolean, stream: Socket): boolean {
  const isEvictable =
    phase === Phase.HEAD ||
    (phase === Phase.WAITING && mayWait) ||
    (phase === Phase.LINGERING && stream.writableFinished);
  if (isEvictable) stream.destroy();
  return isEvictable;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A keep-alive connection moves its deadline with every request, but arms the timer once in many requests. */
export class ConnectionPhase {
  current: Phase = Phase.WAITING;
  /** Monotonic ms at which the phase began. */
  sinceMs: number;
  readonly #wheel: TimerWheel;
  readonly #turn: Turn;
  readonly #expired: (nowMs: number) => void;
  /** Armed no later than `#deadlineMs`; re-armed where it fires too early. */
  readonly #timer: WheelTimer = new WheelTimer(() => this.#fired());
  #deadlineMs = NEVER;

  /** @param expired called within a turn when the deadline has passed */
  constructor(wheel: TimerWheel, turn: Turn, expired: (nowMs: number) => void) {
    this.sinceMs = turn.nowMs();
    this.#wheel = wheel;
    this.#turn = turn;
    this.#expired = expired;
  }

  get nowMs(): number {
    return this.#turn.nowMs();
  }

  /** Begins a phase. The deadline stays: set or clear it. */
  enter(phase: Phase): void {
    checkTransition(this.current, phase);
    this.current = phase;
    this.sinceMs = this.#turn.nowMs();
    if (phase === Phase.GONE) this.#wheel.cancel(this.#timer);
  }

  /** Begins a phase with a deadline. */
  enterFor(phase: Phase, delayMs: number): void {
    this.enter(phase);
    this.setDeadline(delayMs);
  }

  setDeadline(delayMs: number): void {
    const nowMs = this.#turn.nowMs();
    this.#deadlineMs = nowMs + delayMs;
    if (this.#timer.isArmed() && this.#timer.deadlineMs <= this.#deadlineMs) return;
    this.#wheel.arm(this.#timer, delayMs, nowMs);
  }

  /** Moves the deadline forward to `delayMs` from now unless it is earlier already. */
  shortenDeadline(delayMs: number): void {
    this.setDeadline(Math.min(delayMs, this.#deadlineMs - this.#turn.nowMs()));
  }

  /** Removes the deadline and leaves the timer armed: the next phase mostly sets another one. */
  clearDeadline(): void {
    this.#deadlineMs = NEVER;
  }

  #fired(): void {
    if (this.#deadlineMs === NEVER) return;
    const nowMs = this.#turn.nowMs();
    const leftMs = this.#deadlineMs - nowMs;
    if (leftMs > 0) {
      this.#wheel.arm(this.#timer, leftMs, nowMs);
      return;
    }
    this.#turn.begin();
    this.#expired(nowMs);
    this.#turn.end();
  }
}
