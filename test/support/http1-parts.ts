// What the fast path's parts of a test work with: a wheel that turns by itself, a turn, memory. Thread: main.

import { systemClock } from '../../core/clock.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { Http1Transport } from '../../proxy/upstream/http1/http1-transport.ts';
import { Turn } from '../../proxy/wire/turn.ts';
import { WireMemory } from '../../proxy/wire/wire-memory.ts';
import type { TransportParts } from '../../proxy/upstream/transport-parts.ts';

const TICK_MS = 5;

/** What the fast client side and the fast transport of a worker share. */
export interface SharedParts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
}

/** Shared parts on the real clock. The wheel turns as long as the process lives for other reasons. */
export function sharedParts(): SharedParts {
  const wheel = new TimerWheel(TICK_MS, systemClock.nowMs());
  setInterval(() => wheel.advance(systemClock.nowMs()), TICK_MS).unref();
  return { wheel, turn: new Turn(systemClock), memory: new WireMemory() };
}

/** A fast transport of its own. */
export function fastTransport(parts: TransportParts, shared: SharedParts = sharedParts()): Http1Transport {
  return new Http1Transport({ ...parts, ...shared });
}
