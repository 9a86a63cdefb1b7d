// What the client's side works with in one worker: given once by downstream.ts. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { ExchangeStarter } from '../../core/exchange-contract.ts';
import type { Random } from '../../core/random.ts';
import type { Logger } from '../../core/log.ts';
import type { ConnectionLedger } from './accept/connection-ledger.ts';
import type { Sweeper } from './accept/sweeper.ts';

export interface DownstreamContext {
  readonly starter: ExchangeStarter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly sweeper: Sweeper;
  readonly ledger: ConnectionLedger;
  /** Whether the worker takes leave: every response is then the last one of its connection. */
  readonly isDraining: () => boolean;
  /** Until when (monotonic ms) a drain leaves a connection open that has been idle since `sinceMs`. */
  readonly mayBeIdleUntilMs: (sinceMs: number) => number;
}

/** A connection as a drain sees it, whatever it speaks. */
export interface DrainableConnection {
  /** Ends the connection as soon as nothing is lost by it. */
  startDrain(): void;
  /** Ends it now; a response that is under way is cut visibly. */
  destroy(): void;
}
