// Dependencies of the client side in one worker, provided by downstream.ts. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { ClientEvents, ExchangeStarter } from '../../core/exchange-contract.ts';
import type { Random } from '../../core/random.ts';
import type { Logger } from '../../core/log.ts';
import type { ConnectionLedger } from './accept/connection-ledger.ts';
import type { OnDemandCertificates } from './accept/on-demand-certificates.ts';
import type { TicketKeyring } from './accept/ticket-keyring.ts';
import type { Sweeper } from './accept/sweeper.ts';

export interface DownstreamContext {
  readonly starter: ExchangeStarter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly sweeper: Sweeper;
  readonly ledger: ConnectionLedger;
  readonly tickets: TicketKeyring;
  readonly onDemand: OnDemandCertificates;
  /** Whether the worker is draining: every response is then the last one of its connection. */
  readonly isDraining: () => boolean;
  /** Monotonic ms until which a drain keeps a connection open that has been idle since `sinceMs`. */
  readonly mayBeIdleUntilMs: (sinceMs: number) => number;
}

/** A connection of any protocol, as drains and limits on connections use it. */
export interface DrainableConnection {
  /** Closes the connection as soon as no request is lost. */
  startDrain(): void;
  /** Closes it now; a response in progress is cut visibly. */
  destroy(): void;
  /**
   * Closes it now to make room for another one, unless a request is in progress.
   * @param mayBeIdle whether it may also be one that is idle after a request, and not only one without a whole request head
   * @returns whether it closes
   */
  evict(mayBeIdle: boolean): boolean;
}

/** Receiver of a client side's events while there is no exchange: none in progress, or a refused request. */
export const NO_EXCHANGE: ClientEvents = {
  onBodyData: () => undefined,
  onBodyEnd: () => undefined,
  onClientDrain: () => undefined,
  onResponseFlushed: () => undefined,
  onClientHalfClosed: () => undefined,
  onClientGone: () => undefined,
};
