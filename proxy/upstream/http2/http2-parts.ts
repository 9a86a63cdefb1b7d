// The worker objects that all HTTP/2 connections to endpoints share. Thread: worker.

import type { TimerWheel } from '../../../core/timer-wheel.ts';
import type { FrameMemory } from '../../http2/frame-writer.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';

export interface Http2Parts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
  readonly frames: FrameMemory;
}
