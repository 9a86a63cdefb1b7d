// Admitting an exchange that has a route: limits first, then what its attempts will need. Thread: worker.

import { isOverBodyLimit } from './attempt-request.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Exchange } from './exchange.ts';
import { insertedFieldsOf, sendsForwarded } from '../policies/forwarding-fields.ts';
import type { ReplyCauseName } from './local-reply.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import { depositForRequest } from '../placement/retry-budget.ts';
import { hideStickyCookie } from './stickiness.ts';

/** Prepares the exchange. Returns null, or why it is refused. */
export function admit(exchange: Exchange, context: ForwardingContext): ReplyCauseName | null {
  const { head, runtime, connection, requestId } = exchange;
  const [route, target] = [exchange.route!, exchange.target!];
  if (context.overload.mustRefuse(route.priority)) return 'shed';
  if (isOverBodyLimit(exchange, Math.max(0, head.bodyLength))) return 'body-too-large';
  const { retry, index } = target.snapshot;
  const listener = runtime.listener(connection.listenerIndex);
  exchange.insertedFields = insertedFieldsOf(
    { connection, request: head, requestId },
    listener !== undefined && sendsForwarded(listener),
    route.requestHeaders.set,
  );
  if (target.sticky !== null) hideStickyCookie(exchange);
  if (!exchange.isBodyEnded) exchange.replay = new ReplayBuffer(retry.bufferBytes, context.replays);
  target.hashKey?.(head, exchange.clientAddress, exchange);
  depositForRequest(context.region, index, retry);
  return null;
}
