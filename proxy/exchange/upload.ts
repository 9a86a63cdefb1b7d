// Uploads on routes that buffer request bodies or answer expectations themselves. Thread: worker.

import { isGrpc } from '../../core/grpc-status.ts';
import { type ResponseHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { ChangedRequestHead } from './changed-request-head.ts';
import type { Exchange } from './exchange.ts';
import { recordEnd } from './attempt-outcome.ts';
import type { Attempt } from './attempt.ts';
import { stopTimer } from './exchange-timer.ts';
import { STATE } from './exchange-state.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { replyLocally } from './respond.ts';

const CONTINUE: ResponseHead = {
  status: 100,
  reason: 'Continue',
  bodyLength: 0,
  hasLength: false,
  field: () => undefined,
  endToEndFields: () => [],
};

/** Applies the settings of the route to a request with a body. Returns whether it is placed now: `releaseUpload` follows. */
export function admitUpload(context: ForwardingContext, exchange: Exchange): boolean {
  const { upload } = exchange.route!;
  if (upload === null) return true;
  const { expect, bufferBytes } = upload;
  if (exchange.head.expectsContinue === true) {
    if (expect === 'refuse') {
      replyLocally(context, exchange, 'expectation-refused');
      return false;
    }
    // A client that waits sends nothing that could be buffered.
    if (expect === 'respond' || bufferBytes > 0) {
      exchange.head = new ChangedRequestHead(exchange.head, { expectsContinue: false });
      exchange.client.sendInterim(CONTINUE);
    }
  }
  if (bufferBytes === 0) return true;
  exchange.body.replay!.hold(bufferBytes);
  exchange.client.resumeBody();
  return false;
}

/** The buffer is full, or has the whole body: the request is about to be placed. A whole body is sent with its length. */
export function releaseUpload(exchange: Exchange): void {
  const { body, head } = exchange;
  body.replay!.release();
  if (!body.isEnded || body.trailers !== null || head.bodyLength !== UNKNOWN_LENGTH) return;
  exchange.head = new ChangedRequestHead(head, { bodyLength: body.bytesReceived });
}

/**
 * Whether the rest of an upload follows a response that is complete before it. An endpoint that accepts the request may
 * need it. After an error or a redirect nobody does: clients stop sending then (RFC 9112 section 9.5). A gRPC call ends
 * with its trailers, and a client that awaits 100 (Continue) may never send its body.
 */
export function mayContinueUpload({ body, client, head, status }: Exchange): boolean {
  const isAwaitingContinue = head.expectsContinue === true && body.bytesReceived === 0;
  return status < 300 && client.keepBody !== undefined && !isAwaitingContinue && !isGrpc(head);
}

/** The endpoint has all of an upload that it answered early, or takes no more of it. */
export function endUpload(context: ForwardingContext, exchange: Exchange, attempt: Attempt<Exchange>): void {
  recordEnd(context, exchange, attempt);
  stopTimer(context, exchange);
  exchange.enter(STATE.replied);
  exchange.client.releaseBody!();
}
