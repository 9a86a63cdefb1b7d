// Responses to the client: an endpoint's head after the policies of the route, and local replies. Thread: worker.

import type { ClientConnection, LocalReply, Unparsable } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../core/head.ts';
import type { RouteAction } from '../../core/snapshot/route.ts';
import { EditedResponseHead } from '../policies/edited-response-head.ts';
import { observeRefused } from './exchange-end.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import {
  configuredReply,
  localReply,
  REPLY_CAUSES,
  type ReplyCauseName,
  replyOfFailure,
  terminationOfCut,
  unparsableReply,
} from './local-reply.ts';
import { stickyFieldsOf } from './sticky-client.ts';

/** Runs the policies of the response phase and sends the head of an endpoint's response. */
export function relayHead(context: ForwardingContext, exchange: Exchange, head: ResponseHead): void {
  exchange.response.setStatus(head.status);
  const removed = exchange.runtime.removedResponseFields(exchange.route!);
  const edited = removed.size === 0 ? head : new EditedResponseHead(head, removed);
  exchange.client.sendHead(edited, addedFieldsOf(context, exchange));
}

/** Sends the local reply for a cause, which also becomes the cause of the exchange's end. */
export function replyLocally(exchange: Exchange, cause: ReplyCauseName): void {
  exchange.response.endBy(REPLY_CAUSES[cause].termination);
  sendLocalReply(exchange, localReply(cause, exchange.head, exchange.requestId));
}

/** Sends the local reply for the latest failure of an attempt; for `cause` where none has failed. */
export function replyForFailure(exchange: Exchange, cause: ReplyCauseName): void {
  const { lastFailure } = exchange;
  replyLocally(exchange, lastFailure === null ? cause : replyOfFailure(lastFailure));
}

/** Sends the response or redirect that the route configures. */
export function replyAsConfigured(
  context: ForwardingContext,
  exchange: Exchange,
  action: Exclude<RouteAction, { kind: 'upstream' }>,
): void {
  exchange.response.endBy('localReply');
  const added = addedFieldsOf(context, exchange);
  if (action.kind === 'redirect') {
    sendLocalReply(exchange, configuredReply(action.status, ['Location', action.location, ...added], ''));
  } else {
    const fields = ['Content-Type', action.contentType, ...added];
    sendLocalReply(exchange, configuredReply(action.status, fields, action.body));
  }
}

/** Runs the policies of the local-reply phase and sends a reply. Every local reply passes here. */
function sendLocalReply(exchange: Exchange, reply: LocalReply): void {
  exchange.enter(STATE.replied);
  exchange.response.setStatus(reply.status);
  exchange.response.sent(exchange.head.method === 'HEAD' ? 0 : reply.body.byteLength);
  exchange.client.sendLocalReply(reply);
}

/** Cuts a response that can't be completed, so that the client sees that it isn't whole. */
export function cutResponse(exchange: Exchange, failure: Failure): void {
  exchange.response.endBy(terminationOfCut(failure));
  cutExchange(exchange);
}

/** Ends an exchange and cuts its client. The end comes first: events that the cut causes are dropped. */
export function cutExchange(exchange: Exchange): void {
  exchange.enter(STATE.done);
  exchange.client.cut();
}

/** Counts and logs a request that never became an exchange. Returns the reply to send. */
export function refuseUnparsable(
  context: ForwardingContext,
  connection: ClientConnection,
  why: Unparsable,
): LocalReply {
  const requestId = context.requestIds.next();
  const reply = unparsableReply(why, requestId);
  const { termination } = REPLY_CAUSES[why];
  observeRefused(context, connection, { requestId, status: reply.status, termination });
  return reply;
}

/** The fields that a response gets in addition: those that its route sets, and the sticky cookie. */
function addedFieldsOf({ clock }: ForwardingContext, exchange: Exchange): FieldList {
  const { set } = exchange.route!.responseHeaders;
  if (exchange.target === null || exchange.target.sticky === null) return set;
  return [...set, ...stickyFieldsOf(exchange, clock.wallMs())];
}
