// Whether a failed attempt may be followed by another, by proof of what was sent (docs/design.md 5, docs/algorithms.md 4.1).
// Pure: the truth table is its test. Thread: both.

import type { RetryVerdict } from '../../core/exchange-record.ts';
import type { FailureKind } from '../../core/failure.ts';
import type { RequestHead } from '../../core/head.ts';
import type { RetrySnapshot } from '../../core/snapshot/upstream.ts';

/**
 * Connect failures may go on past `retry.attempts` up to this many tries: nothing was sent, so nothing is at risk,
 * and with one extra try two dead endpoints of three would already cost requests.
 */
export const MAX_UNSENT_RETRIES = 3;

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** What the decision looks at. */
export interface RetryFacts {
  /** What failed; a status that is retried is 'status'. */
  readonly kind: FailureKind | 'status';
  /** Whether a byte of the request may have reached the endpoint. */
  readonly wasSent: boolean;
  /** Whether the method or the sender promises that doing it twice is doing it once. */
  readonly isIdempotent: boolean;
  /** Whether all of the body that was taken from the client so far can be sent again. */
  readonly isBodyReplayable: boolean;
  /** Whether a byte of the response (interim ones included) has gone to the client. */
  readonly hasResponseBegun: boolean;
  /** Attempts that were made after the first. */
  readonly retriesSoFar: number;
  /** Whether the upstream's requests wait for an endpoint as long as their queue allows: then no count ends that. */
  readonly mayWait: boolean;
}

/** Whether the method promises that doing it twice is doing it once. Methods are case-sensitive. */
export function isIdempotentMethod(method: string): boolean {
  return IDEMPOTENT_METHODS.has(method);
}

/** Whether doing a request twice is doing it once: by its method, or because its sender says so. */
export function isIdempotentRequest(head: RequestHead): boolean {
  return isIdempotentMethod(head.method) || head.field('idempotency-key') !== undefined;
}

/** Whether a request may have a second try beside the first. */
export function isHedgeable({ method, bodyLength }: RequestHead): boolean {
  return bodyLength === 0 && (method === 'GET' || method === 'HEAD');
}

/**
 * Says which level of docs/design.md 5 lets another try follow: 'never-sent' (a), 'unanswered-safe' (b), 'status'
 * (opt-in, as b), or why none does. Budget and the existence of another endpoint are asked by the caller afterwards,
 * since asking them costs.
 */
export function retryVerdict(facts: RetryFacts, settings: RetrySnapshot): RetryVerdict {
  if (facts.hasResponseBegun) return 'refused-response-begun';
  if (!facts.wasSent) return unsentVerdict(facts, settings);
  if (!isWanted(facts.kind, settings)) return 'refused-not-retryable';
  if (!facts.isIdempotent) return 'refused-not-retryable';
  if (!facts.isBodyReplayable) return 'refused-body';
  // A keep-alive race is nobody's fault: what it hit is repeated once even where retries are off.
  const most = facts.kind === 'stale-connection' ? Math.max(1, settings.attempts) : settings.attempts;
  if (facts.retriesSoFar >= most) return 'refused-attempts';
  return facts.kind === 'status' ? 'status' : 'unanswered-safe';
}

function unsentVerdict(facts: RetryFacts, settings: RetrySnapshot): RetryVerdict {
  if (facts.kind === 'unsendable-request' || facts.kind === 'cancelled') return 'refused-not-retryable';
  if (facts.kind !== 'stale-connection' && !settings.onConnectFailure) return 'refused-not-retryable';
  if (!facts.isBodyReplayable) return 'refused-body';
  if (facts.mayWait) return 'never-sent';
  const most = settings.attempts === 0 ? 0 : Math.max(settings.attempts, MAX_UNSENT_RETRIES);
  return facts.retriesSoFar >= most ? 'refused-attempts' : 'never-sent';
}

/** A response timeout is not among them: it spans all tries, so no time is left for another. */
function isWanted(kind: RetryFacts['kind'], settings: RetrySnapshot): boolean {
  switch (kind) {
    case 'status':
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
