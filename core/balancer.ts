// Balancer contract: pick requests, candidates and pick failures. Thread: both.

/** Results of a pick that found no endpoint; slots are >= 0. */
export const PICK_FAILURE = {
  /** No endpoint of the tier is usable. */
  noneUsable: -1,
  /** Every usable endpoint is at its limit. */
  allBusy: -2,
  /** Every usable endpoint has been tried by this exchange. */
  allTried: -3,
} as const;
export type PickFailure = (typeof PICK_FAILURE)[keyof typeof PICK_FAILURE];

/** Input of a pick. One object per exchange or worker, reused; a balancer keeps no reference to it. */
export interface PickRequest {
  /** First and second word of the hash of the exchange's key; 0, 0 where the upstream doesn't hash. */
  readonly hash1: number;
  readonly hash2: number;
  /** Worker's monotonic milliseconds, read once per event-loop turn. */
  readonly nowMs: number;
  /** Whether the request can be retried if this attempt fails: only such requests try a suspect endpoint. */
  readonly mayRetry: boolean;
  /** Whether ejected and down endpoints are eligible when no other is: true for a retry, false for a hedge. */
  readonly mayUseLastResort: boolean;
  /** Attempts that this exchange has made; 0 for the first pick. */
  readonly triedCount: number;
  /** Slots already tried; only the first `triedCount` entries are valid. */
  readonly triedSlots: Int32Array;
}

/**
 * Chooses an endpoint among a fixed list of candidates. Immutable: a change of membership, weight or availability
 * builds a new balancer; only the counters in shared memory change during its life.
 */
export interface Balancer {
  /**
   * Returns a slot, or one of PICK_FAILURE. Allocates nothing and reserves nothing: the caller reserves the slot
   * and picks again if the reservation fails.
   */
  pick(request: PickRequest): number;
}

/** An endpoint that a balancer may pick. */
export interface Candidate {
  readonly slot: number;
  /** Stable identity, the same in every process; the order in which hashing fills its table. */
  readonly id: string;
  /** Configured weight, 1..256. */
  readonly weight: number;
}

/** Whether this exchange has already tried `slot`. */
export function wasTried(request: PickRequest, slot: number): boolean {
  for (let i = 0; i < request.triedCount; i++) if (request.triedSlots[i] === slot) return true;
  return false;
}
