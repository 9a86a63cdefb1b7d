// What all fast connections of a worker to endpoints share. Thread: worker.

import type { TimerWheel } from '../../../core/timer-wheel.ts';
import type { ReuseDelay } from './reuse-delay.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';

export interface ConnectionParts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
  readonly reuse: ReuseDelay;
}
