// Dependencies that all connections of the HTTP/1.1 engine in a worker share. Thread: worker.

import type { ExchangeStarter } from '../../../core/exchange-contract.ts';
import type { Random } from '../../../core/random.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import type { ConnectionLedger } from '../accept/connection-ledger.ts';
import type { ResponseEncoder } from './response-encoder.ts';

/** Parts that the client side and the endpoint side of the engine share. */
export interface Http1Parts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
}

export interface Http1Context extends Http1Parts {
  readonly starter: ExchangeStarter;
  readonly random: Random;
  readonly ledger: ConnectionLedger;
  readonly encoder: ResponseEncoder;
  /** Whether the engine serves new connections. */
  isOn(): boolean;
  /** Whether the worker is draining: every response is then the last one of its connection. */
  readonly isDraining: () => boolean;
  /** Monotonic ms until which a drain keeps a connection open that has been idle since `sinceMs`. */
  readonly mayBeIdleUntilMs: (sinceMs: number) => number;
}
