// Upgraded connections: the steps of an exchange that becomes a tunnel, or is refused as one. Thread: worker.

import type { HeadChanges, TunnelEnd } from '../../core/exchange-contract.ts';
import type { ResponseHead } from '../../core/head.ts';
import type { Attempt } from './attempt.ts';
import { recordEnd, recordUpgrade } from './attempt-outcome.ts';
import type { Exchange } from './exchange.ts';
import { countUpgrade } from './exchange-end.ts';
import { STATE } from './exchange-state.ts';
import { stopTimer } from './exchange-timer.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { applyResponsePolicies } from './policy-phases.ts';

type ExchangeAttempt = Attempt<Exchange>;

/** Runs the response phase on the head of a tunnel's response. Returns null where a policy has replied instead. */
export function answerUpgrade(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  head: ResponseHead,
): HeadChanges | null {
  if (!applyResponsePolicies(context, exchange, attempt, head)) return null;
  const { inserted, removed } = exchange.policies.responseEdits;
  return { inserted, removed: removed.names };
}

export function openTunnel(context: ForwardingContext, exchange: Exchange, attempt: ExchangeAttempt): void {
  recordUpgrade(context, exchange, attempt, 101);
  exchange.response.setStatus(101);
  exchange.enter(STATE.tunnel);
  stopTimer(context, exchange);
  countUpgrade(context);
}

/** The endpoint has sent a final status instead, which the tunnel has relayed whole. */
export function refuseTunnel(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  status: number,
): void {
  recordUpgrade(context, exchange, attempt, status);
  exchange.response.setStatus(status);
  recordEnd(context, exchange, attempt);
  exchange.enter(STATE.done);
}

export function closeTunnel(
  context: ForwardingContext,
  exchange: Exchange,
  attempt: ExchangeAttempt,
  end: TunnelEnd,
): void {
  exchange.body.received(end.bytesFromClient);
  exchange.response.sent(end.bytesFromEndpoint);
  recordEnd(context, exchange, attempt);
  exchange.response.endBy(end.by === 'timeout' ? 'tunnelTimeout' : end.by === 'drain' ? 'drainedTunnel' : 'ok');
  exchange.enter(STATE.done);
}
