// Body bytes through the policies of an exchange. Only for plans with a body phase. Thread: worker.

import type { FieldList, ResponseHead } from '../../core/head.ts';
import { FAILED } from '../policies/policy-runner.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { cancelForPolicy, cutForPolicy } from './failover.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { applyResponsePolicies } from './policy-phases.ts';
import { mayHaveBody, sendBytes } from './respond.ts';

const NO_BYTES = new Uint8Array(0);

/** Passes a chunk of the response through the policies to the client. Returns false where they take no more for now. */
export function passResponseChunk(context: ForwardingContext, exchange: Exchange, chunk: Uint8Array): boolean {
  exchange.response.received(chunk.byteLength);
  const bytes = context.policies.bodyChunk(exchange.policies, chunk, 'response', false);
  if (bytes !== FAILED) return passOn(exchange, bytes);
  cancelForPolicy(context, exchange);
  return true;
}

/** Passes on what policies add at the end of the response, and keeps its trailers for them. Returns false where one failed, and the response was cut. */
export function passResponseTail(context: ForwardingContext, exchange: Exchange, trailers: FieldList | null): boolean {
  exchange.response.trailers = trailers;
  if (!mayHaveBody(exchange, exchange.status)) return true;
  const bytes = context.policies.bodyChunk(exchange.policies, NO_BYTES, 'response', true);
  if (bytes !== FAILED) {
    passOn(exchange, bytes);
    return !exchange.isDone;
  }
  cancelForPolicy(context, exchange);
  return false;
}

function passOn(exchange: Exchange, bytes: Uint8Array): boolean {
  if (bytes.byteLength === 0) return true;
  const { transforms } = exchange.policies;
  return transforms === null ? sendBytes(exchange, bytes) : transforms.write(bytes);
}

/** Runs the response phase and opens the transforms of the body. Returns whether the endpoint's response is relayed. */
export function beginResponse(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: Attempt<Exchange> | null,
  head: ResponseHead,
): boolean {
  if (!applyResponsePolicies(context, exchange, attempt, head)) return false;
  if (exchange.policies.transforms === null || !mayHaveBody(exchange, head.status)) return true;
  if (openTransforms(context, exchange)) return true;
  cancelForPolicy(context, exchange);
  return false;
}

function openTransforms(context: ForwardingContext, exchange: Exchange): boolean {
  return context.policies.openTransforms(exchange.policies, {
    data(chunk) {
      exchange.timing.active(context.clock.nowMs());
      return sendBytes(exchange, chunk);
    },
    ready: () => resumeAttempt(context, exchange),
    end: () => exchange.client.sendEnd(exchange.response.trailers),
    fail: () => cancelForPolicy(context, exchange),
    cut: () => cutForPolicy(context, exchange),
  });
}

/** The endpoint's response is complete: its end is sent once the transforms have passed on all of it. */
export function endTransforms(exchange: Exchange, trailers: FieldList | null): void {
  const transforms = exchange.policies.transforms!;
  if (!transforms.isActive) return exchange.client.sendEnd(trailers);
  exchange.response.trailers = trailers;
  transforms.end();
}

/** The response is taken again. */
export function resumeAttempt(context: ForwardingContext, exchange: Exchange): void {
  const { attempt } = exchange.tries;
  if (attempt === null) return exchange.response.source?.resume();
  if (!attempt.isHeld) return;
  exchange.timing.active(context.clock.nowMs());
  attempt.resume();
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
