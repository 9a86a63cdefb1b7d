// Debug lines of an exchange, one for each decision. Each call costs one comparison while `log.level` is above debug.
// Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import { NO_RETRY } from '../placement/retries.ts';
import type { Place } from '../placement/place.ts';
import type { NoPlace } from '../placement/placer.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardingContext } from './forwarding-context.ts';

export function logRoute({ log }: ForwardingContext, exchange: Exchange): void {
  if (!log.isDebugEnabled) return;
  const { requestId, head, connection, route, upstreamName } = exchange;
  const request = { requestId, listener: connection.listenerName, method: head.method, target: head.target };
  if (route === null) log.debug(request, 'no route matches');
  else log.debug({ ...request, route: route.name, upstream: upstreamName }, `route ${route.name} matches`);
}

export function logAttempt({ log }: ForwardingContext, exchange: Exchange, place: Place, isHedge: boolean): void {
  if (!log.isDebugEnabled) return;
  const { requestId, attempts, endpoint } = exchange;
  const kind = isHedge ? 'hedge' : attempts > 1 ? 'retry' : 'attempt';
  const fields = { requestId, endpoint: endpoint?.name, attempt: attempts, isTrial: place.isTrial };
  log.debug(fields, `${kind} at endpoint ${endpoint?.name}`);
}

export function logUnplaced({ log }: ForwardingContext, { requestId, upstreamName }: Exchange, reason: NoPlace): void {
  if (!log.isDebugEnabled) return;
  log.debug({ requestId, upstream: upstreamName, reason }, `no place at upstream ${upstreamName}: ${reason}`);
}

/** @param backoffMs before the next attempt, or NO_RETRY */
export function logRetry(
  { log }: ForwardingContext,
  exchange: Exchange,
  kind: FailureKind | 'status' | 'grpc-status',
  backoffMs: number,
): void {
  if (!log.isDebugEnabled) return;
  const { requestId, endpoint, retryVerdict } = exchange;
  const fields = { requestId, endpoint: endpoint?.name, failure: kind, verdict: retryVerdict };
  const next = backoffMs === NO_RETRY ? `not retried (${retryVerdict})` : `retried in ${Math.round(backoffMs)} ms`;
  log.debug(fields, `attempt failed: ${kind}; ${next}`);
}

export function logEnd({ log }: ForwardingContext, exchange: Exchange): void {
  if (!log.isDebugEnabled) return;
  const { requestId, status, termination, attempts } = exchange;
  log.debug({ requestId, status, termination, attempts }, `exchange ended: ${termination}`);
}
