// Counts the bytes of one tunnel and reports when none has moved for the idle timeout. Thread: worker.

import type { TimerHandle, Timers } from '../../../core/timers.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import type { TunnelMeter } from './tunnel-socket.ts';

/** Checks per idle timeout: an idle tunnel is noticed at most a quarter of the timeout late. */
const CHECKS = 4;

/** Detects idleness at the cost of one store per movement. */
export class IdleWatch {
  readonly #timers: Timers;
  readonly #stepMs: number;
  readonly #onIdle: () => void;
  #timer: TimerHandle | null = null;
  #quietChecks = 0;

  /** @param idleMs 0 disables the watch */
  constructor(timers: Timers, idleMs: number, onIdle: () => void) {
    this.#timers = timers;
    this.#stepMs = Math.ceil(idleMs / CHECKS);
    this.#onIdle = onIdle;
    if (idleMs > 0) this.#arm();
  }

  /** Records a movement. */
  touch(): void {
    this.#quietChecks = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#timers.after(this.#stepMs, () => {
      this.#quietChecks += 1;
      // A movement just before the first check has been followed by one step less of silence.
      if (this.#quietChecks > CHECKS) this.#onIdle();
      else this.#arm();
    });
  }
}

export class TunnelTraffic implements TunnelMeter {
  bytesFromClient = 0;
  bytesFromEndpoint = 0;
  readonly #lane: EndpointLane;
  readonly #countsBytes: boolean;
  #idle: IdleWatch | null = null;

  /** @param countsBytes whether the lane's bytes are counted here: an HTTP/2 connection counts its own */
  constructor(lane: EndpointLane, countsBytes: boolean) {
    this.#lane = lane;
    this.#countsBytes = countsBytes;
  }

  countFromClient(sizeBytes: number): void {
    this.bytesFromClient += sizeBytes;
    this.#idle?.touch();
    if (this.#countsBytes) this.#lane.add('bytesSent', sizeBytes);
  }

  countFromEndpoint(sizeBytes: number): void {
    this.bytesFromEndpoint += sizeBytes;
    this.#idle?.touch();
    if (this.#countsBytes) this.#lane.add('bytesReceived', sizeBytes);
  }

  /** Starts the idle timeout; the tunnel counts as open until `stop`. */
  open(timers: Timers, idleMs: number, onIdle: () => void): void {
    this.#lane.add('upgradesOpen', 1);
    this.#idle = new IdleWatch(timers, idleMs, onIdle);
  }

  /** Stops the idle timeout of a tunnel that is closing. */
  stopIdleTimeout(): void {
    this.#idle?.stop();
  }

  stop(): void {
    if (this.#idle === null) return;
    this.#idle.stop();
    this.#idle = null;
    this.#lane.add('upgradesOpen', -1);
  }
}
