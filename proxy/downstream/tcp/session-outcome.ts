// Outcomes of a session's attempts: counters, health signals, and the trial of a half-open endpoint. Thread: worker.

import { type Failure, type Signal, SIGNALS } from '../../../core/failure.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import { release } from '../../../core/memory/reservation.ts';
import { countFailure, countOutcome } from '../../account/account.ts';
import { returnToken } from '../../placement/place.ts';
import { retryEnded } from '../../placement/retry-budget.ts';
import { reportSignal } from '../../placement/signals.ts';
import type { SessionContext } from './session-context.ts';
import type { TcpSession } from './tcp-session.ts';

/** An endpoint that keeps a connection open for this long has accepted it: a server may wait for the client to speak. */
export const ACCEPTED_MS = 1000;

/** Reports that the endpoint serves the session: it has sent a byte, or kept the connection for a while. */
export function judgeGood(context: SessionContext, session: TcpSession): void {
  judge(context, session, 'ok');
}

/** Records a failed attempt, or a connection that was lost before the endpoint had served it. */
export function judgeFailure(context: SessionContext, session: TcpSession, failure: Failure): void {
  session.lastFailure = failure;
  countFailure(context.lanes.endpoint(session.attempt!.endpoint.slot), failure.kind);
  judge(context, session, failure.signal);
}

/** Reports one outcome of an attempt; those that follow count for nothing. */
function judge(context: SessionContext, session: TcpSession, signal: Signal): void {
  const attempt = session.attempt!;
  if (attempt.isJudged) return;
  attempt.isJudged = true;
  const { endpoint, isTrial } = attempt;
  const source = { clientAddress: session.clientAddress, routeName: session.routeName, head: { target: '' } };
  const counts = reportSignal(context.signals, session.target!.snapshot, endpoint, signal, isTrial, source);
  if (counts) countOutcome(context.lanes.endpoint(endpoint.slot), signal);
  if (SIGNALS[signal].window === 'ignore') abandonTrial(context, session);
  else attempt.isTrial = false;
}

/** Ends an attempt: releases its place at the endpoint. A trial without an outcome is left to another session. */
export function endAttempt(context: SessionContext, session: TcpSession): void {
  const { region, worker, placer } = context;
  abandonTrial(context, session);
  endRetry(context, session);
  session.attempt!.isOver = true;
  release(region, worker, session.attempt!.endpoint.slot);
  placer.placeFreed(session.target!);
}

/** A retry lasts until it is connected. */
export function endRetry({ region, worker }: SessionContext, session: TcpSession): void {
  if (!session.isRetrying) return;
  session.isRetrying = false;
  retryEnded(region, worker, session.target!.snapshot.index);
}

function abandonTrial({ region, worker }: SessionContext, { attempt }: TcpSession): void {
  if (attempt?.isTrial !== true) return;
  attempt.isTrial = false;
  returnToken(region, worker, attempt.endpoint.slot);
}

/** Counts an open connection to the endpoint. @param change 1 or -1 */
export function countOpen({ lanes }: SessionContext, session: TcpSession, change: 1 | -1): void {
  const lane = lanes.endpoint(session.attempt!.endpoint.slot);
  if (change === 1) lane.add(ENDPOINT_FIELD.connectionsOpened, 1);
  lane.add(ENDPOINT_FIELD.connectionsOpen, change);
}
