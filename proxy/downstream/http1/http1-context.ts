// What the fast connections of a worker work with. Thread: worker.

import type { ExchangeStarter } from '../../../core/exchange-contract.ts';
import type { Random } from '../../../core/random.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import type { ConnectionLedger } from '../accept/connection-ledger.ts';
import type { ResponseEncoder } from './response-encoder.ts';

/** What a worker's fast client side and its fast transport share. */
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
  /** Whether new connections are served by the fast path. */
  isOn(): boolean;
  /** Whether the worker takes leave: every response is then the last one of its connection. */
  readonly isDraining: () => boolean;
  /** Until when (monotonic ms) a drain leaves a connection open that has been idle since `sinceMs`. */
  readonly mayBeIdleUntilMs: (sinceMs: number) => number;
}
