// Begin and end of exchanges: the counts of open ones, and the records that observers get. Thread: worker.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { LISTENER_FIELD } from '../../core/memory/lane-fields.ts';
import { WORKER } from '../../core/memory/layout.ts';
import type { Termination } from '../../core/termination.ts';
import { isSpoofed } from '../policies/forwarding-fields.ts';
import type { Exchange } from './exchange.ts';
import { logEnd } from './exchange-log.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { openConnectionsOf } from './load-at-end.ts';

/** Adds an exchange that begins to the open ones. */
export function openExchange(context: ForwardingContext, exchange: Exchange): void {
  context.open().add(exchange);
  addToWorkerWord(context, WORKER.openExchanges.index, 1);
}

/** Records an exchange that is done. It has left the open ones. */
export function closeExchange(context: ForwardingContext, exchange: Exchange): void {
  context.wheel.cancel(exchange.timer);
  exchange.timing.ended(context.clock.nowMs());
  logEnd(context, exchange);
  addToWorkerWord(context, WORKER.openExchanges.index, -1);
  if (exchange.wasUpgraded) addToWorkerWord(context, WORKER.upgraded.index, -1);
  if (isSpoofed(exchange.connection, exchange.head)) {
    context.lanes.listener(exchange.connection.listenerIndex).add(LISTENER_FIELD.forwardedSpoofs, 1);
  }
  const { policies } = exchange;
  context.policies.cancel(policies);
  if (policies.plan.end !== null) context.policies.end(policies, exchange);
  observeExchange(context, exchange);
}

/** Counts an exchange that has become a tunnel. */
export function countUpgrade(context: ForwardingContext): void {
  addToWorkerWord(context, WORKER.upgraded.index, 1);
}

function observeExchange({ observers, region, worker }: ForwardingContext, exchange: Exchange): void {
  let isLoadRead = false;
  for (const observer of observers) {
    if (observer.readsLoad && !isLoadRead) {
      exchange.load.read(region, worker, exchange.upstream, exchange.endpoint);
      isLoadRead = true;
    }
    observer.exchangeEnded(exchange);
  }
}

/** Gives observers the record of a request that could not be parsed. */
export function observeRefused(
  { clock, region, worker, observers }: ForwardingContext,
  connection: ClientConnection,
  facts: { readonly requestId: string; readonly status: number; readonly termination: Termination },
): void {
  const openConnections = openConnectionsOf(region, worker);
  const load = { openConnections, listenerConnections: openConnections, upstreamInflight: 0, endpointInflight: 0 };
  const record: ExchangeRecord = {
    connection,
    head: null,
    ...facts,
    clientAddress: connection.peerAddress,
    beganWallMs: clock.wallMs(),
    phases: { requestMs: -1, queueMs: -1, connectMs: -1, responseMs: -1, totalMs: 0 },
    routeName: '',
    upstream: null,
    endpoint: null,
    endpointProtocol: null,
    bytesReceived: 0,
    bytesSent: 0,
    attempts: 0,
    wasRedispatched: false,
    retryVerdict: 'none',
    failureKind: null,
    wasUpgraded: false,
    load,
    endpointQueuePosition: 0,
    upstreamQueuePosition: 0,
  };
  for (const observer of observers) observer.exchangeEnded(record);
}

function addToWorkerWord({ region, worker }: ForwardingContext, index: number, amount: number): void {
  region.words[region.workerWord(worker) + index]! += amount;
}
