// The services that TCP sessions use in one worker. Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import type { ExchangeObserver } from '../../../core/exchange-record.ts';
import type { Logger } from '../../../core/log.ts';
import type { MessageToMain } from '../../../core/messages.ts';
import type { Timers } from '../../../core/timers.ts';
import type { Runtime } from '../../exchange/runtime.ts';
import type { PlacementContext } from '../../placement/placement-context.ts';
import type { Placer } from '../../placement/placer.ts';
import type { SignalSink } from '../../placement/signals.ts';
import type { TcpSession } from './tcp-session.ts';

/** The services that worker.ts provides. */
export interface SessionParts extends PlacementContext {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The newest Runtime. */
  readonly runtime: () => Runtime;
  readonly post: (message: MessageToMain) => void;
  /** Receive the records of ended sessions, in this order. */
  readonly observers: readonly ExchangeObserver[];
  readonly log: Logger;
}

/** The same with the parts that TcpSessions owns. */
export interface SessionContext extends SessionParts {
  readonly placer: Placer<TcpSession>;
  readonly signals: SignalSink;
}
