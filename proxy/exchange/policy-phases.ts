// The policies of an exchange at the steps of its request path. A plan without policies in a phase costs one comparison.
// Thread: worker.

import type { ResponseHead } from '../../core/head.ts';
import type { PolicyAnswer } from '../../core/policy/policy.ts';
import { FAILED, type PolicyFailure, WAITING } from '../policies/policy-runner.ts';
import type { Attempt } from './attempt.ts';
import { cancelAttempt } from './attempt-outcome.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { replyFromPolicy, replyLocally } from './respond.ts';

/** Gives a routed exchange the plan of its listener, route and upstream. */
export function beginPolicies({ runtime, connection, route, target, policies }: Exchange): void {
  policies.begin(runtime.policies.planOf(connection.listenerIndex, route, target?.snapshot.index ?? -1));
}

/**
 * Runs the request phase. Returns whether the exchange goes on now: it was answered otherwise, or waits for a promise,
 * and goes on with `requestSettled`.
 */
export function applyRequestPolicies(context: ForwardingContext, exchange: Exchange): boolean {
  const { policies } = exchange;
  if (policies.plan.request === null) return true;
  const outcome = context.policies.request(policies);
  if (outcome === undefined) return true;
  if (outcome === WAITING) {
    context.wheel.arm(exchange.timer, context.policies.waitMsOf(policies), context.clock.nowMs());
    return false;
  }
  replyToOutcome(context, exchange, outcome);
  return false;
}

/** The promise that the exchange waited for has led to an outcome. Returns whether the exchange goes on. */
export function requestSettled(
  context: ForwardingContext,
  exchange: Exchange,
  outcome: PolicyAnswer | PolicyFailure,
): boolean {
  context.wheel.cancel(exchange.timer);
  if (outcome === undefined) return true;
  replyToOutcome(context, exchange, outcome);
  return false;
}

/** The promise that the exchange waits for has taken too long. */
export function expireWait(context: ForwardingContext, exchange: Exchange): void {
  replyToOutcome(context, exchange, context.policies.expire(exchange.policies));
}

/** Runs the placed phase for one attempt. Returns whether the attempt starts: the exchange was answered otherwise. */
export function applyPlacedPolicies(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: Attempt<Exchange>,
): boolean {
  if (exchange.policies.plan.placed === null) return true;
  const outcome = context.policies.placed(exchange.policies);
  if (outcome === undefined) return true;
  cancelAttempt(context, exchange, attempt);
  replyToOutcome(context, exchange, outcome);
  return false;
}

/** Runs the response phase. Returns whether the endpoint's response is relayed: it was replaced otherwise. */
export function applyResponsePolicies(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: Attempt<Exchange> | null,
  head: ResponseHead,
): boolean {
  const { policies } = exchange;
  if (policies.plan.response === null) return true;
  policies.beginResponse(head);
  const outcome = context.policies.response(policies);
  if (outcome === undefined) return true;
  cancelAttempt(context, exchange, attempt);
  context.wheel.cancel(exchange.timer);
  replyToOutcome(context, exchange, outcome);
  return false;
}

function replyToOutcome(
  context: ForwardingContext,
  exchange: Exchange,
  outcome: NonNullable<PolicyAnswer> | PolicyFailure,
): void {
  if (outcome === FAILED) replyLocally(context, exchange, 'policy-failed');
  else if ('cause' in outcome) replyLocally(context, exchange, outcome.cause, outcome.fields);
  else replyFromPolicy(context, exchange, outcome);
}
