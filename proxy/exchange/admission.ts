// Admission: the steps between the request head and the first pick, and the request that attempts send.
// Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import type { FieldList } from '../../core/head.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HostField } from '../../core/snapshot/route.ts';
import { depositForRequest } from '../placement/retry-budget.ts';
import { clientAddressOf } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { grpcDeadlineMs, grpcTimeoutField } from './grpc-call.ts';

/** Sets the request id and the client's address. */
export function identify(context: ForwardingContext, exchange: Exchange): void {
  const { connection, head, runtime } = exchange;
  if (!connection.isTrusted) return exchange.identify(context.requestIds.next(), connection.peerAddress);
  const isTrusted = (address: string): boolean => runtime.isTrusted(connection.listenerIndex, address);
  const requestId = context.requestIds.of(head.field('x-request-id'));
  exchange.identify(requestId, clientAddressOf(connection, head.field('x-forwarded-for'), isTrusted));
}

/** Prepares placement: the hash key, the replay buffer, the retry budget. */
export function preparePlacement(context: ForwardingContext, exchange: Exchange): void {
  const { head, placement } = exchange;
  const { hashKey, snapshot } = exchange.target!;
  if (snapshot.protocol !== 'http1') exchange.timing.endBefore(grpcDeadlineMs(head, exchange.timing.beganMs));
  hashKey?.(head, exchange.clientAddress, placement);
  exchange.body.keepForReplay(snapshot.retry.bufferBytes, context.replays);
  depositForRequest(context.region, snapshot.index, snapshot.retry);
}

/** The request as an endpoint gets it. */
export function attemptRequestOf(exchange: Exchange, endpoint: EndpointSnapshot): AttemptRequest {
  const { policies, head } = exchange;
  const { inserted, removed } = policies.sentEdits;
  return {
    head,
    target: policies.target,
    endpoint,
    upstream: exchange.target!.snapshot,
    hostField: hostFor(exchange.route!.hostField, head.authority, endpoint),
    insertedFields: exchange.timing.deadlineMs > 0 ? withTimeLeft(exchange, inserted) : inserted,
    removedFields: removed.names,
    mustUseFresh: exchange.placement.mustUseFresh,
    origin: exchange,
  };
}

/** A retry has less time than the first attempt. */
function withTimeLeft({ attempts, timing, tries }: Exchange, fields: FieldList): FieldList {
  if (attempts <= 1) return fields;
  return [...fields, ...grpcTimeoutField(timing.deadlineMs - tries.attempt!.beganMs)];
}

/** Whether a body of `sizeBytes` is more than the route, or else the listener, allows. */
export function isOverBodyLimit(exchange: Exchange, sizeBytes: number): boolean {
  if (sizeBytes === 0) return false;
  const listener = exchange.runtime.listener(exchange.connection.listenerIndex);
  const limit = exchange.route?.bodyBytes || (listener?.limits.bodyBytes ?? 0);
  return limit > 0 && sizeBytes > limit;
}

/** A Unix socket has no address of its own to name in Host. */
function hostFor(source: HostField, clientHost: string, endpoint: EndpointSnapshot): string {
  if (source.kind === 'client') return clientHost;
  if (source.kind === 'fixed') return source.value;
  return endpoint.socketPath === '' ? endpoint.id : endpoint.host;
}
