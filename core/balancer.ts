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

/**
 * Receives the outcomes of attempts, for a balancer that weighs endpoints by them. Called once an attempt; allocates
 * nothing. Attempts that say nothing about the endpoint (the client left, an idle connection had closed) are left out.
 * Times are in milliseconds; `nowMs` is as in PickRequest.
 */
export interface OutcomeObserver {
  /** @param ms from sending the request to the head of a response that is no failure */
  answered(slot: number, ms: number, nowMs: number): void;
  /** @param ms from the start of the attempt to its failure (connect failure, reset, timeout, gateway-class status) */
  failed(slot: number, ms: number, nowMs: number): void;
  /**
   * The endpoint refused the request because it is overloaded (429, or 503 with Retry-After).
   * @param retryAfterMs delay that the response's Retry-After requests; 0 where there is none
   */
  overloaded(slot: number, ms: number, retryAfterMs: number, nowMs: number): void;
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
