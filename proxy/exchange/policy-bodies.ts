// Body bytes through the policies of an exchange. Only for plans with a body phase. Thread: worker.

import { FAILED } from '../policies/policy-runner.ts';
import type { Exchange } from './exchange.ts';
import { cancelForPolicy } from './failover.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { mayHaveBody } from './respond.ts';

const NO_BYTES = new Uint8Array(0);

/** A chunk of the response as the client gets it; null where a policy failed, and the response was cut. */
export function responseChunk(context: ForwardingContext, exchange: Exchange, chunk: Uint8Array): Uint8Array | null {
  const bytes = context.policies.bodyChunk(exchange.policies, chunk, 'response', false);
  if (bytes !== FAILED) return bytes;
  cancelForPolicy(context, exchange);
  return null;
}

/** Bytes that policies add at the end of the response; null as in `responseChunk`. */
export function responseTail(context: ForwardingContext, exchange: Exchange): Uint8Array | null {
  if (!mayHaveBody(exchange, exchange.status)) return NO_BYTES;
  const bytes = context.policies.bodyChunk(exchange.policies, NO_BYTES, 'response', true);
  if (bytes !== FAILED) return bytes;
  cancelForPolicy(context, exchange);
  return null;
}

/** Shows policies a chunk of the request, or its end. Returns false where one failed, and the exchange was ended. */
export function observeRequestChunk(
  context: ForwardingContext,
  exchange: Exchange,
  chunk: Uint8Array,
  isLast: boolean,
): boolean {
  if (context.policies.bodyChunk(exchange.policies, chunk, 'request', isLast) !== FAILED) return true;
  cancelForPolicy(context, exchange);
  return false;
}

/** Shows policies the end of the request. Returns as `observeRequestChunk`. */
export function observeRequestEnd(context: ForwardingContext, exchange: Exchange): boolean {
  return observeRequestChunk(context, exchange, NO_BYTES, true);
}
