// The record of an ended TCP session, for the counters and the access log. Thread: worker.

import type { ExchangeRecord } from '../../../core/exchange-record.ts';
import type { Region } from '../../../core/memory/region.ts';
import type { Termination } from '../../../core/termination.ts';
import { LoadReading } from '../../exchange/load-at-end.ts';
import type { TcpSession } from './tcp-session.ts';

/** One reading, overwritten by each record: observers copy what they keep. */
const load = new LoadReading();

/** @param nowMs monotonic ms */
export function sessionRecord(
  session: TcpSession,
  termination: Termination,
  nowMs: number,
  memory: { readonly region: Region; readonly worker: number },
): ExchangeRecord {
  const { attempt, placement, target } = session;
  const endpoint = attempt?.endpoint ?? null;
  const upstream = target?.snapshot ?? null;
  load.read(memory.region, memory.worker, upstream, endpoint);
  return {
    connection: session.connection,
    head: null,
    isSession: true,
    requestId: session.id,
    clientAddress: session.clientAddress,
    beganWallMs: session.beganWallMs,
    phases: phasesOf(session, nowMs),
    routeName: session.routeName,
    upstream,
    endpoint,
    endpointProtocol: endpoint === null ? null : 'tcp',
    status: 0,
    bytesReceived: session.bytesFromClient,
    bytesSent: session.bytesFromEndpoint,
    termination,
    attempts: placement.attempts,
    wasRedispatched: session.wasRedispatched,
    retryVerdict: session.retryVerdict,
    failureKind: session.lastFailure?.kind ?? null,
    wasUpgraded: false,
    load,
    endpointQueuePosition: placement.endpointQueuePosition,
    upstreamQueuePosition: placement.upstreamQueuePosition,
  };
}

/** As in HAProxy's Tw, Tc and Tt; `requestMs` is the time until the session was routed. */
function phasesOf(session: TcpSession, nowMs: number): ExchangeRecord['phases'] {
  const { acceptedMs, connectedMs, firstByteMs, placement, routedMs } = session;
  const { placedMs, queuedMs } = placement;
  const queueEndMs = placedMs === 0 ? nowMs : placedMs;
  return {
    requestMs: between(acceptedMs, routedMs),
    queueMs: queuedMs === 0 ? (placedMs === 0 ? -1 : 0) : between(queuedMs, queueEndMs),
    connectMs: between(placedMs, connectedMs),
    responseMs: between(connectedMs, firstByteMs),
    totalMs: Math.max(0, nowMs - acceptedMs),
  };
}

/** ms from one time to another; -1 where either was not reached. */
function between(fromMs: number, toMs: number): number {
  return fromMs === 0 || toMs === 0 ? -1 : Math.max(0, toMs - fromMs);
}
