// Retry decision by proof of what was sent (docs/design.md 5, docs/algorithms.md 4.1). Pure: its test is the truth table.
// Thread: both.

import type { RetryVerdict } from '../../core/exchange-record.ts';
import type { FailureKind } from '../../core/failure.ts';
import type { RequestHead } from '../../core/head.ts';
import type { RetrySnapshot } from '../../core/snapshot/upstream.ts';

/**
 * Unsent requests are retried up to this many times even if `retry.attempts` is lower: nothing is repeated, and with one
 * retry two dead endpoints of three would cost requests.
 */
export const MAX_UNSENT_RETRIES = 3;

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Input of the decision. */
export interface RetryFacts {
  /** Kind of the failure; 'status' for a retryable status, 'grpc-status' for one of gRPC. */
  readonly kind: FailureKind | 'status' | 'grpc-status';
  /** Whether a byte of the request may have reached the endpoint. */
  readonly wasSent: boolean;
  /** Whether the method or the client declares that sending it twice has the effect of sending it once. */
  readonly isIdempotent: boolean;
  /** Whether all of the body received so far can be sent again. */
  readonly isBodyReplayable: boolean;
  /** Whether a byte of the response (interim ones included) has gone to the client. */
  readonly hasResponseBegun: boolean;
  /** Attempts after the first. */
  readonly retriesSoFar: number;
  /** Whether requests of the upstream may wait for an endpoint: then the queue timeout ends retries, not a count. */
  readonly mayWait: boolean;
}

/** Whether the method is idempotent. Methods are case-sensitive. */
export function isIdempotentMethod(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method);
}

/** Whether sending a request twice has the effect of sending it once: by its method, or by its Idempotency-Key. */
export function isIdempotentRequest(head: RequestHead): boolean {
  return isIdempotentMethod(head.method) || head.field('idempotency-key') !== undefined;
}

/** Whether a request may be hedged. */
export function isHedgeable({ method, bodyLength }: RequestHead): boolean {
  return bodyLength === 0 && (method === 'GET' || method === 'HEAD');
}

/**
 * Returns the level of docs/design.md 5 that permits a retry: 'never-sent' (a), 'unanswered-safe' (b), 'status' (as
 * b), or the reason why none is permitted. The caller checks budget and endpoints afterwards, since that costs more.
 */
export function retryVerdict(facts: RetryFacts, settings: RetrySnapshot): RetryVerdict {
  if (facts.hasResponseBegun) return 'refused-response-begun';
  if (!facts.wasSent) return unsentVerdict(facts, settings);
  if (!isWanted(facts.kind, settings)) return 'refused-not-retryable';
  // Every call of gRPC is a POST: that it may be repeated is what listing the status says.
  if (!facts.isIdempotent && facts.kind !== 'grpc-status') return 'refused-not-retryable';
  if (!facts.isBodyReplayable) return 'refused-body';
  // A keep-alive race is no failure: the request is repeated once even if retries are off.
  const most = facts.kind === 'stale-connection' ? Math.max(1, settings.attempts) : settings.attempts;
  if (facts.retriesSoFar >= most) return 'refused-attempts';
  return facts.kind === 'status' || facts.kind === 'grpc-status' ? 'status' : 'unanswered-safe';
}

/** No other endpoint of the upstream would do better. */
const NEVER_RETRIED: ReadonlySet<RetryFacts['kind']> = new Set([
  'unsendable-request',
  'upgrade-unsupported',
  'cancelled',
]);

function unsentVerdict(facts: RetryFacts, settings: RetrySnapshot): RetryVerdict {
  if (NEVER_RETRIED.has(facts.kind)) return 'refused-not-retryable';
  const isRace = facts.kind === 'stale-connection' || facts.kind === 'refused-stream';
  if (!isRace && !settings.onConnectFailure) return 'refused-not-retryable';
  if (!facts.isBodyReplayable) return 'refused-body';
  if (facts.mayWait) return 'never-sent';
  const most =
    settings.attempts === 0 ? Number(facts.kind === 'refused-stream') : Math.max(settings.attempts, MAX_UNSENT_RETRIES);
  return facts.retriesSoFar >= most ? 'refused-attempts' : 'never-sent';
}

/** A response timeout is never retried: it spans all attempts, so that no time is left. */
function isWanted(kind: RetryFacts['kind'], settings: RetrySnapshot): boolean {
  switch (kind) {
    case 'status':
    case 'grpc-status':
      return true;
    case 'stale-connection':
      return true;
    case 'reset':
    case 'malformed-response':
      return settings.onReset;
    case 'try-timeout':
      return settings.onTimeout;
    default:
      return false;
  }
}
