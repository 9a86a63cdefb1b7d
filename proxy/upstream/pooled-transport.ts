// The part of a transport that its pools serve: leases, and changes of the Snapshot. Thread: worker.

import type { AmendedUpstream } from '../../core/endpoint-delta.ts';
import type { AttemptRequest } from '../../core/exchange-contract.ts';
import { type Failure, failureOf } from '../../core/failure.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { ConnectionPool, PoolTable } from './pool-table.ts';

/** An attempt that waits for its lease. */
interface Leasing {
  readonly request: AttemptRequest;
  /** Whether events may come before `send` of the transport returns. */
  readonly isImmediate: boolean;
  readonly isOver: boolean;
  fail(failure: Failure): void;
}

interface LeasingPool<Attempt> extends ConnectionPool {
  lease(attempt: Attempt): void;
}

export abstract class PooledTransport<Pool extends ConnectionPool> {
  protected readonly pools: PoolTable<Pool>;

  constructor(pools: PoolTable<Pool>) {
    this.pools = pools;
  }

  update(upstreams: readonly UpstreamSnapshot[]): void {
    this.pools.update(upstreams);
  }

  amend(upstreams: readonly AmendedUpstream[]): void {
    this.pools.amend(upstreams);
  }

  dropIdle(slot: number): void {
    this.pools.dropIdle(slot);
  }

  close(): Promise<void> {
    return this.pools.close();
  }
}

/**
 * Leases now, or after the caller's turn where the attempt takes no events before `send` returns.
 * @param isSendable false fails the attempt, always after the caller's turn
 */
export function leaseFor<Attempt extends Leasing>(
  pools: PoolTable<LeasingPool<Attempt>>,
  attempt: Attempt,
  isSendable: boolean,
): Attempt {
  const lease = (): void => pools.poolFor(attempt.request).lease(attempt);
  if (!isSendable) queueMicrotask(() => attempt.fail(failureOf('unsendable-request', false)));
  else if (attempt.isImmediate) lease();
  else {
    queueMicrotask(() => {
      if (!attempt.isOver) lease();
    });
  }
  return attempt;
}
