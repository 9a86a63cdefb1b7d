// What an attempt is asked to send, and what an exchange is allowed. Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';

/** The request as an endpoint gets it. */
export function attemptRequestOf(exchange: Exchange, attempt: Attempt): AttemptRequest {
  const route = exchange.route!;
  const { hostField } = route;
  return {
    head: exchange.head,
    endpoint: attempt.endpoint,
    upstream: exchange.target!.snapshot,
    hostField:
      hostField === null ? exchange.head.authority : hostField === 'endpoint' ? attempt.endpoint.id : hostField,
    insertedFields: exchange.insertedFields,
    removedFields: exchange.runtime.removedFields(route, exchange.hasOwnCookies),
    mustUseFresh: exchange.mustUseFresh,
  };
}

/** Whether a body of `sizeBytes` is more than the route, or else the listener, allows. */
export function isOverBodyLimit(exchange: Exchange, sizeBytes: number): boolean {
  const listener = exchange.runtime.listener(exchange.connection.listenerIndex);
  const limit = exchange.route?.bodyBytes || (listener?.limits.bodyBytes ?? 0);
  return limit > 0 && sizeBytes > limit;
}
