// The contract between a pick and those who ask for one. Thread: both.

/** Failures of a pick; every slot is >= 0. */
export const PICK_FAILURE = {
  /** No endpoint of the tier is usable. */
  noneUsable: -1,
  /** Every usable endpoint is at its limit. */
  allBusy: -2,
  /** Every usable endpoint has been tried by this exchange. */
  allTried: -3,
} as const;
export type PickFailure = (typeof PICK_FAILURE)[keyof typeof PICK_FAILURE];

/** What a pick may look at. One object per exchange or worker, reused; a balancer keeps no reference to it. */
export interface PickRequest {
  /** First and second word of the hash of the exchange's key; 0, 0 where the upstream doesn't hash. */
  readonly hash1: number;
  readonly hash2: number;
  /** Worker's monotonic milliseconds, read once per event-loop turn. */
  readonly nowMs: number;
  /** Whether the request may be sent again if this attempt fails: only such requests try a suspect endpoint. */
  readonly mayRetry: boolean;
  /** Whether an endpoint that is ejected or down is better than none: for a retry, not for a hedge. */
  readonly mayUseLastResort: boolean;
  /** How many attempts this exchange has made; 0 for the first pick. */
  readonly triedCount: number;
  /** Slots already tried, of which the first `triedCount` entries count. */
  readonly triedSlots: Int32Array;
}

/**
 * Chooses an endpoint among the candidates it was built for. Immutable: a change of membership, weight or
 * availability builds a new one; only counters in shared memory move under it.
 */
export interface Balancer {
  /**
   * Returns a slot, or one of PICK_FAILURE. Allocates nothing and reserves nothing: the caller reserves the slot
   * and asks again when the reservation fails.
   */
  pick(request: PickRequest): number;
}

/** One endpoint as a balancer sees it. */
export interface Candidate {
  readonly slot: number;
  /** Stable identity, the same in every process: what hashing sorts by. */
  readonly id: string;
  /** Configured weight, 1..256. */
  readonly weight: number;
}

/** Whether `slot` was tried by this exchange already. */
export function wasTried(request: PickRequest, slot: number): boolean {
  for (let i = 0; i < request.triedCount; i++) if (request.triedSlots[i] === slot) return true;
  return false;
}
