// Admission: the steps between the request head and the first pick. Each returns null, or the cause of a refusal.
// Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { NO_SLOT } from '../placement/placeable.ts';
import { depositForRequest } from '../placement/retry-budget.ts';
import { insertedFieldsOf, sendsForwarded } from '../policies/forwarding-fields.ts';
import { clientAddressOf } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { ReplyCauseName } from './local-reply.ts';
import { bindToCookie } from './sticky-client.ts';

/** Sets the request id and the client's address. */
export function identify(context: ForwardingContext, exchange: Exchange): void {
  const { connection, head, runtime } = exchange;
  const requestId = context.requestIds.of(connection.isTrusted, head.field('x-request-id'));
  const isTrusted = (address: string): boolean => runtime.isTrusted(connection.listenerIndex, address);
  exchange.identify(requestId, clientAddressOf(connection, head.field('x-forwarded-for'), isTrusted));
}

/** Enforces the limits of the process and of the route. */
export function checkLimits(context: ForwardingContext, exchange: Exchange): ReplyCauseName | null {
  if (context.overload.mustRefuse(exchange.route!.priority)) return 'shed';
  return isOverBodyLimit(exchange, Math.max(0, exchange.head.bodyLength)) ? 'body-too-large' : null;
}

/** Runs the policies of the request phase: forwarding fields, header edits, sticky cookie. */
export function applyRequestPolicies(context: ForwardingContext, exchange: Exchange): ReplyCauseName | null {
  const { head, runtime, connection, requestId, edits } = exchange;
  const route = exchange.route!;
  const listener = runtime.listener(connection.listenerIndex);
  const isForwardedSent = listener !== undefined && sendsForwarded(listener);
  edits.insert(insertedFieldsOf({ connection, request: head, requestId }, isForwardedSent, route.requestHeaders.set));
  if (exchange.target!.sticky !== null) bindToCookie(exchange, context.clock.wallMs());
  return null;
}

/** Prepares placement: the hash key, the endpoint that the client is bound to, the replay buffer, the retry budget. */
export function preparePlacement(context: ForwardingContext, exchange: Exchange): void {
  const { head, placement, edits } = exchange;
  const { hashKey, snapshot } = exchange.target!;
  hashKey?.(head, exchange.clientAddress, placement);
  placement.stickySlot = edits.stickyChoice?.slot ?? NO_SLOT;
  exchange.body.keepForReplay(snapshot.retry.bufferBytes, context.replays);
  depositForRequest(context.region, snapshot.index, snapshot.retry);
}

/** The request as an endpoint gets it. */
export function attemptRequestOf(exchange: Exchange, endpoint: EndpointSnapshot): AttemptRequest {
  const route = exchange.route!;
  const { hostField } = route;
  const { edits, head } = exchange;
  return {
    head,
    endpoint,
    upstream: exchange.target!.snapshot,
    hostField: hostField === null ? head.authority : hostField === 'endpoint' ? endpoint.id : hostField,
    insertedFields: edits.insertedFields,
    removedFields: exchange.runtime.removedFields(route, edits.replacesCookies),
    mustUseFresh: exchange.placement.mustUseFresh,
  };
}

/** Whether a body of `sizeBytes` is more than the route, or else the listener, allows. */
export function isOverBodyLimit(exchange: Exchange, sizeBytes: number): boolean {
  const listener = exchange.runtime.listener(exchange.connection.listenerIndex);
  const limit = exchange.route?.bodyBytes || (listener?.limits.bodyBytes ?? 0);
  return limit > 0 && sizeBytes > limit;
}
