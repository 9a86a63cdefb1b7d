// Responses to the client: an endpoint's head after the policies of the route, and local replies. Thread: worker.

import type { ClientConnection, LocalReply, Unparsable } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { PolicyReply } from '../../core/policy/policy.ts';
import { isGrpc } from '../../core/grpc-status.ts';
import type { FieldList, ResponseHead } from '../../core/head.ts';
import type { LocalAction } from '../../core/snapshot/route.ts';
import { EditedResponseHead } from '../policies/edited-response-head.ts';
import { observeRefused } from './exchange-end.ts';
import type { Exchange } from './exchange.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { grpcTrailers } from './grpc-call.ts';
import { grpcReply } from './grpc-reply.ts';
import {
  configuredReply,
  localReply,
  policyReply,
  REPLY_CAUSES,
  type ReplyCauseName,
  replyOfFailure,
  terminationOfCut,
  unparsableReply,
} from './local-reply.ts';

const NO_BYTES = new Uint8Array(0);

/** Sends the head of an endpoint's response, with the edits of the policies. */
export function relayHead(exchange: Exchange, head: ResponseHead): void {
  exchange.response.setStatus(head.status);
  const { plan, responseEdits } = exchange.policies;
  const { names } = responseEdits.removed;
  const hasOtherBody = plan.changesResponseBody && isBodyChanged(exchange, head.status);
  const isAsReceived = names.size === 0 && !hasOtherBody;
  const edited = isAsReceived ? head : new EditedResponseHead(head, names, hasOtherBody);
  exchange.client.sendHead(edited, responseEdits.inserted);
}

/** Whether policies change the body of this response, or would if the request were not a HEAD. */
function isBodyChanged(exchange: Exchange, status: number): boolean {
  const { plan, transforms } = exchange.policies;
  return transforms?.changesBody === true || (plan.changesResponseChunks && mayHaveBody(exchange, status));
}

/** Sends body bytes to the client. Returns false where it takes no more for now. */
export function sendBytes(exchange: Exchange, bytes: Uint8Array): boolean {
  exchange.response.sent(bytes.byteLength);
  return exchange.client.sendData(bytes);
}

/** Whether a response of this status to this request has a body (RFC 9112 section 6.3). */
export function mayHaveBody({ head }: Exchange, status: number): boolean {
  return head.method !== 'HEAD' && status !== 204 && status !== 304;
}

/**
 * Sends the local reply for a cause, which also becomes the cause of the exchange's end.
 * @param fields beside those of the cause
 */
export function replyLocally(
  context: ForwardingContext,
  exchange: Exchange,
  cause: ReplyCauseName,
  fields: FieldList = [],
): void {
  exchange.response.endBy(REPLY_CAUSES[cause].termination);
  const { code } = REPLY_CAUSES[cause];
  const reply = localReply(cause, exchange.head, exchange.requestId);
  const extended = fields.length === 0 ? reply : { ...reply, fields: [...reply.fields, ...fields] };
  sendLocalReply(context, exchange, code, extended);
}

/** Sends the reply that a policy returned. */
export function replyFromPolicy(context: ForwardingContext, exchange: Exchange, reply: PolicyReply): void {
  exchange.response.endBy(reply.status >= 400 ? 'policyRefused' : 'localReply');
  const { fields = [] } = reply;
  const added = exchange.policies.plan.responseFields.inserted;
  sendLocalReply(context, exchange, 'policy', policyReply({ ...reply, fields: [...fields, ...added] }));
}

/** Sends the local reply for the latest failure of an attempt; for `cause` where none has failed. */
export function replyForFailure(context: ForwardingContext, exchange: Exchange, cause: ReplyCauseName): void {
  const { lastFailure } = exchange;
  replyLocally(context, exchange, lastFailure === null ? cause : replyOfFailure(lastFailure));
}

/** Sends the response or redirect that the route configures. */
export function replyAsConfigured(context: ForwardingContext, exchange: Exchange, action: LocalAction): void {
  const { runtime, policies } = exchange;
  const reply = runtime.answers.replyOf(action, policies, policies.plan.responseFields.inserted);
  if (reply === null) return replyLocally(context, exchange, 'no-host');
  exchange.response.endBy('localReply');
  sendLocalReply(context, exchange, 'configured', reply);
}

/** Redirects a request for a directory to its path with a slash. */
export function replyToDirectory(context: ForwardingContext, exchange: Exchange, location: string): void {
  exchange.response.endBy('localReply');
  const added = exchange.policies.plan.responseFields.inserted;
  sendLocalReply(context, exchange, 'configured', configuredReply(301, ['Location', location, ...added], NO_BYTES));
}

/** Runs the policies of the local-reply phase and sends a reply. Every local reply passes here. */
function sendLocalReply(context: ForwardingContext, exchange: Exchange, cause: string, given: LocalReply): void {
  const { policies } = exchange;
  context.policies.cancel(policies);
  const edited =
    policies.plan.localReply === null
      ? given
      : { ...policyReply(context.policies.localReply(policies, { ...given, cause })), mustClose: given.mustClose };
  const reply = isGrpc(exchange.head) ? grpcReply(edited, cause, messageOf(cause, edited)) : edited;
  exchange.enter(STATE.replied);
  exchange.response.setStatus(reply.status);
  exchange.response.sent(exchange.head.method === 'HEAD' ? 0 : reply.body.byteLength);
  exchange.client.sendLocalReply(reply);
}

/** The message of a local reply, for a gRPC client. */
function messageOf(cause: string, { status, reason }: LocalReply): string {
  const known = Object.values(REPLY_CAUSES).find(({ code }) => code === cause);
  return known?.message ?? `HTTP ${status} ${reason}`.trimEnd();
}

/** Cuts a response that can't be completed, so that the client sees that it isn't whole. */
export function cutResponse(exchange: Exchange, failure: Failure): void {
  exchange.response.endBy(terminationOfCut(failure));
  const trailers = grpcTrailers(exchange.head, failure);
  if (trailers === null || exchange.state !== STATE.relaying) return cutExchange(exchange);
  exchange.enter(STATE.replied);
  exchange.policies.transforms?.cancel();
  exchange.response.trailers = trailers;
  exchange.client.sendEnd(trailers);
}

/** Ends an exchange and cuts its client. The end comes first: events that the cut causes are dropped. */
export function cutExchange(exchange: Exchange): void {
  exchange.enter(STATE.done);
  exchange.policies.transforms?.cancel();
  exchange.response.source?.cancel();
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
