// Phases of the process: starting, running, draining, ended. Thread: main.

import type { Logger } from '../core/log.ts';
import type { Timers } from '../core/timers.ts';

export type Phase = 'starting' | 'running' | 'draining' | 'ended';

/** Phases from which each phase may be entered. A start that fails ends at once. */
const ALLOWED_FROM: Readonly<Record<Phase, readonly Phase[]>> = {
  starting: [],
  running: ['starting'],
  draining: ['starting', 'running'],
  ended: ['starting', 'running', 'draining'],
};

export interface ShutdownParts {
  readonly timers: Timers;
  readonly log: Logger;
  /** Removes registrations, before the listeners close. */
  readonly withdraw: () => Promise<void>;
  /** The listeners are about to close. */
  readonly onStopping: (status: string) => void;
  /** Drains the workers. */
  readonly drain: (graceMs: number, idleMs: number) => Promise<void>;
  /** Ends the workers at once. */
  readonly kill: () => Promise<void>;
  /** Releases everything else. */
  readonly release: () => Promise<void>;
}

export interface DrainTimes {
  /** For exchanges in flight, in ms. */
  readonly graceMs: number;
  /** For idle connections, in ms. */
  readonly idleMs: number;
  /** Between readiness going false and listeners closing, in ms: outer balancers need it to notice. */
  readonly delayMs: number;
}

export class Shutdown {
  readonly #parts: ShutdownParts;
  #phase: Phase = 'starting';
  /** Ends the delay of a drain early; null where none runs. */
  #skipDelay: (() => void) | null = null;
  #isCut = false;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  get isDraining(): boolean {
    return this.#phase === 'draining' || this.#phase === 'ended';
  }

  started(): void {
    this.#enter('running');
  }

  /** Stops accepting, lets exchanges in flight finish, and releases everything. A second call does nothing. */
  async drain({ graceMs, idleMs, delayMs }: DrainTimes): Promise<void> {
    if (!this.#enter('draining')) return;
    const { log, withdraw, onStopping, drain } = this.#parts;
    await Promise.all([withdraw(), this.#delay(delayMs)]);
    if (this.#isCut) return;
    const status = `draining: exchanges in flight have ${graceMs / 1000} s to finish`;
    log.info({ graceMs }, status);
    onStopping(status);
    await drain(graceMs, idleMs);
    await this.#end();
    log.info({}, 'ended');
  }

  /** Cuts exchanges in flight, and releases everything. */
  async close(): Promise<void> {
    this.#enter('draining');
    this.#isCut = true;
    this.#skipDelay?.();
    await this.#parts.kill();
    await this.#end();
  }

  async #delay(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const { log, timers } = this.#parts;
    log.info({ delayMs }, `draining: not ready any more, stops accepting in ${delayMs / 1000} s`);
    await new Promise<void>((resolve) => {
      const timer = timers.after(delayMs, resolve);
      this.#skipDelay = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#skipDelay = null;
  }

  async #end(): Promise<void> {
    this.#enter('ended');
    await this.#parts.release();
  }

  /** @returns false where the transition isn't allowed, and nothing has changed */
  #enter(next: Phase): boolean {
    const isAllowed = ALLOWED_FROM[next].includes(this.#phase);
    if (isAllowed) this.#phase = next;
    return isAllowed;
  }
}
