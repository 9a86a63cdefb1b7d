// The attempts of an exchange: the running one, its rival while the exchange is hedged, and the latest failure.
// Thread: worker.

import type { Failure } from '../../core/failure.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { Attempt } from './attempt.ts';

export class Tries<Owner> {
  /** The running attempt; the hedge, while there is one. */
  attempt: Attempt<Owner> | null = null;
  /** The attempt that was hedged, while both run. */
  rival: Attempt<Owner> | null = null;
  /** The endpoint of the latest attempt, or of the winner of two. */
  endpoint: EndpointSnapshot | null = null;
  /** Whether a retry went to another endpoint. */
  wasRedispatched = false;
  /** Whether the running attempt has passed its own timeout and is the last one: it keeps the response timeout. */
  isUncut = false;
  /** Whether an attempt's response was recorded as overdue. */
  wasOverdue = false;
  lastFailure: Failure | null = null;
  /** The first attempt of the exchange's previous request, for reuse. Survives `reset`. */
  spare: Attempt<Owner> | null = null;

  reset(): void {
    this.attempt = null;
    this.rival = null;
    this.endpoint = null;
    this.wasRedispatched = false;
    this.isUncut = false;
    this.wasOverdue = false;
    this.lastFailure = null;
  }

  /** Makes `attempt` the running one. @param isHedge whether the one that runs becomes its rival */
  start(attempt: Attempt<Owner>, isHedge: boolean): void {
    const { endpoint } = attempt;
    if (isHedge) this.rival = this.attempt;
    if (this.endpoint !== null && this.endpoint !== endpoint) this.wasRedispatched = true;
    this.attempt = attempt;
    this.endpoint = endpoint;
    this.isUncut = false;
  }

  /** `winner` has responded first. Returns the loser, which the caller cancels. */
  settle(winner: Attempt<Owner>): Attempt<Owner> {
    const loser = winner === this.rival ? this.attempt! : this.rival!;
    this.#keep(winner);
    return loser;
  }

  /** `loser` has failed: the other one goes on alone. Returns it. */
  drop(loser: Attempt<Owner>): Attempt<Owner> {
    const other = loser === this.rival ? this.attempt! : this.rival!;
    this.#keep(other);
    return other;
  }

  /** Returns the rival, which the caller cancels; null where there is none. */
  dropRival(): Attempt<Owner> | null {
    const { rival } = this;
    this.rival = null;
    return rival;
  }

  failed(failure: Failure): void {
    this.lastFailure = failure;
  }

  keepSpare(): void {
    this.spare = this.attempt;
  }

  keepUncut(): void {
    this.isUncut = true;
  }

  markOverdue(): void {
    this.wasOverdue = true;
  }

  #keep(attempt: Attempt<Owner>): void {
    this.attempt = attempt;
    this.endpoint = attempt.endpoint;
    this.rival = null;
  }
}
