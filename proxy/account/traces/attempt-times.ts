// The times and outcome of one traced attempt. Thread: worker.

import type { AttemptHandle, AttemptRequest, DialTimes, TunnelHandle } from '../../../core/exchange-contract.ts';

/** Times in monotonic ms; 0 where not reached. */
export class AttemptTimes {
  readonly request: AttemptRequest;
  readonly spanId: string;
  readonly beganMs: number;
  /** Of the connection that was made for it; null where there was one. */
  dial: DialTimes | null = null;
  dialledMs = 0;
  leasedMs = 0;
  isReused = false;
  headMs = 0;
  endedMs = 0;
  /** Status of the response; 0 where there was none. */
  status = 0;
  /** Kind of the failure; '' where it has not failed. */
  failure = '';
  isCancelled = false;
  handle: Pick<AttemptHandle | TunnelHandle, 'protocol'> | null = null;

  constructor(request: AttemptRequest, spanId: string, nowMs: number) {
    this.request = request;
    this.spanId = spanId;
    this.beganMs = nowMs;
  }

  dialled(times: DialTimes, nowMs: number): void {
    this.dial = times;
    this.dialledMs = nowMs;
  }

  leased(isReused: boolean, nowMs: number): void {
    this.isReused = isReused;
    this.leasedMs = nowMs;
  }

  headReceived(status: number, nowMs: number): void {
    this.status = status;
    this.headMs = nowMs;
  }

  failed(kind: string, nowMs: number): void {
    this.failure = kind;
    this.ended(nowMs);
  }

  cancelled(nowMs: number): void {
    if (this.endedMs !== 0) return;
    this.isCancelled = true;
    this.ended(nowMs);
  }

  ended(nowMs: number): void {
    if (this.endedMs === 0) this.endedMs = nowMs;
  }
}
