// Shared objects for tests of the fast path: a running timer wheel, a turn, memory. Thread: main.

import { systemClock } from '../../core/clock.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { Http1Transport } from '../../proxy/upstream/http1/http1-transport.ts';
import { Turn } from '../../proxy/wire/turn.ts';
import { WireMemory } from '../../proxy/wire/wire-memory.ts';
import type { TransportParts } from '../../proxy/upstream/transport-parts.ts';

const TICK_MS = 5;

/** Objects that the fast client side and the fast transport of a worker share. */
export interface SharedParts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
}

/** Shared parts on the real clock. The wheel's timer doesn't keep the process alive. */
export function sharedParts(): SharedParts {
  const wheel = new TimerWheel(TICK_MS, systemClock.nowMs());
  setInterval(() => wheel.advance(systemClock.nowMs()), TICK_MS).unref();
  return { wheel, turn: new Turn(systemClock), memory: new WireMemory() };
}

/** A separate fast transport. */
export function fastTransport(parts: TransportParts, shared: SharedParts = sharedParts()): Http1Transport {
  return new Http1Transport({ ...parts, ...shared });
}
