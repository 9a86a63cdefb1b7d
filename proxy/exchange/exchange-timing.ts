// The times of an exchange. Thread: worker.

import type { ExchangePhases } from '../../core/exchange-record.ts';
import type { Placement } from '../placement/placeable.ts';

/** Times in monotonic ms but for `beganWallMs`; 0 where not reached. The times of placement are in Placement. */
export class ExchangeTiming {
  receivedMs = 0;
  beganMs = 0;
  beganWallMs = 0;
  leasedMs = 0;
  /** When an endpoint first had the whole request. */
  requestEndMs = 0;
  headMs = 0;
  endedMs = 0;
  /** When the client's deadline passes (gRPC). */
  deadlineMs = 0;
  /** When the endpoint last sent or took a byte. */
  activeMs = 0;
  readonly #phases = { requestMs: 0, queueMs: 0, connectMs: 0, responseMs: 0, totalMs: 0 };

  /**
   * @param receivedMs,nowMs monotonic ms: when the first byte was received, and now
   * @param beganWallMs wall-clock ms of the first byte
   */
  begin(receivedMs: number, nowMs: number, beganWallMs: number): void {
    this.receivedMs = receivedMs;
    this.beganMs = nowMs;
    this.beganWallMs = beganWallMs;
    this.leasedMs = 0;
    this.requestEndMs = 0;
    this.headMs = 0;
    this.endedMs = 0;
    this.deadlineMs = 0;
    this.activeMs = 0;
  }

  endBefore(deadlineMs: number): void {
    this.deadlineMs = deadlineMs;
  }

  leased(nowMs: number): void {
    this.leasedMs = nowMs;
  }

  /** Only the first whole request counts: the response timeout spans all attempts. */
  requestEnded(nowMs: number): void {
    if (this.requestEndMs === 0) this.requestEndMs = nowMs;
  }

  headReceived(nowMs: number): void {
    this.headMs = nowMs;
  }

  active(nowMs: number): void {
    this.activeMs = nowMs;
  }

  ended(nowMs: number): void {
    this.endedMs = nowMs;
  }

  /** One object, overwritten at each call: copy it to keep it. */
  phases({ queuedMs, placedMs }: Placement): ExchangePhases {
    const phases = this.#phases;
    phases.requestMs = this.beganMs - this.receivedMs;
    phases.queueMs = queuedMs === 0 ? (placedMs === 0 ? -1 : 0) : between(queuedMs, placedMs || this.endedMs);
    phases.connectMs = between(placedMs, this.leasedMs);
    phases.responseMs = between(this.leasedMs, this.headMs);
    phases.totalMs = Math.max(0, this.endedMs - this.receivedMs);
    return phases;
  }
}

/** ms from one time to another; -1 where either was not reached. */
function between(fromMs: number, toMs: number): number {
  return fromMs === 0 || toMs === 0 ? -1 : Math.max(0, toMs - fromMs);
}
