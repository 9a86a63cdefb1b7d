// Lists a worker's open exchanges for operators: the oldest requests, and the clients with the most. Runs only when the
// admin API requests it; an exchange keeps nothing for it. Thread: worker.

import {
  type ClientLoad,
  loudest,
  MOST_REQUESTS,
  type RequestInFlight,
  type RequestPhase,
  type RequestsInFlight,
} from '../../core/requests-in-flight.ts';
import type { Exchange } from './exchange.ts';
import { MirrorClient } from './mirror-client.ts';
import { STATE_NAMES, type StateName } from './exchange-state.ts';

/** Longest method, host and path in the list: clients choose them. */
const LONGEST_TEXT = 200;

const PHASES: Readonly<Record<Exclude<StateName, 'done'>, RequestPhase>> = {
  routing: 'routing',
  queued: 'queued',
  leasing: 'connecting',
  sent: 'waiting',
  backoff: 'backoff',
  relaying: 'responding',
  uploading: 'uploading',
  replied: 'flushing',
  tunnel: 'tunnel',
};

/** Mirrored requests are no requests of clients, and not among them. @param nowMs monotonic, as the times of exchanges */
export function openRequests(open: readonly Exchange[], nowMs: number): RequestsInFlight {
  const exchanges = open.filter(({ client }) => !(client instanceof MirrorClient));
  const oldest = exchanges.toSorted((a, b) => a.timing.receivedMs - b.timing.receivedMs).slice(0, MOST_REQUESTS);
  return {
    total: exchanges.length,
    requests: oldest.map((exchange) => requestOf(exchange, nowMs)),
    clients: loudest(exchanges.map(loadOf)),
  };
}

function requestOf(exchange: Exchange, nowMs: number): RequestInFlight {
  const { head, connection, requestId, routeName, upstream, endpoint, state, timing } = exchange;
  return {
    id: requestId,
    client: clientOf(exchange),
    listener: connection.listenerName,
    method: cut(head.method),
    host: cut(head.authority),
    path: cut(head.target.split('?', 1)[0]!),
    route: routeName,
    upstream: upstream?.name ?? '',
    endpoint: endpoint?.name ?? '',
    phase: PHASES[STATE_NAMES[state] as Exclude<StateName, 'done'>],
    ageMs: Math.max(0, Math.round(nowMs - timing.receivedMs)),
    attempts: exchange.attempts,
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
  };
}

function loadOf(exchange: Exchange): ClientLoad {
  const { bytesReceived, bytesSent } = exchange;
  return { client: clientOf(exchange), requests: 1, bytesReceived, bytesSent };
}

function clientOf({ clientAddress, connection }: Exchange): string {
  return clientAddress === '' ? connection.peerAddress : clientAddress;
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}
