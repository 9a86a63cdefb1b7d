// The holder: keeps the listening sockets open, and runs one generation of Fairlead after the other on them
// (docs/design.md 1.8). It serves nothing, reads no configuration and knows no protocol, so that it rarely needs to be
// replaced itself. Thread: main.

import type { MainLogger } from '../../logging/process-log.ts';
import type { Timers } from '../../core/timers.ts';
import { RestartPolicy } from '../supervisor/restart-policy.ts';
import { Generation, type GenerationCommand, type GenerationEvents, type StartOutcome } from './generation.ts';
import type { HeldSockets } from './held-sockets.ts';
import type { ForwardedSignal, UpgradeOutcome } from './holder-messages.ts';

/** A generation that isn't ready by then has failed: after its own limit for workers. Readiness doesn't wait for heartbeats. */
const START_LIMIT_MS = 80_000;
/** The first start reports the sockets that it needs, the second one gets them. More mean that two versions disagree. */
const MOST_STARTS = 3;
/** As EXIT.failed, which belongs to a higher layer. */
const FAILED = 4;

export interface HolderParts {
  readonly command: GenerationCommand;
  readonly sockets: HeldSockets;
  readonly log: Pick<MainLogger, 'info' | 'warn' | 'error'>;
  readonly timers: Timers;
  /** Monotonic ms. */
  readonly nowMs: () => number;
  readonly startLimitMs?: number;
}

/** Signals that end all generations. */
const ENDING: readonly ForwardedSignal[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

export class Holder implements GenerationEvents {
  /** Resolves with the holder's exit code when no generation runs and none will follow. */
  readonly ended: Promise<number>;
  readonly #parts: HolderParts;
  readonly #policy = new RestartPolicy();
  /** All running processes: the current one, those that drain, and one that starts. */
  readonly #living = new Set<Generation>();
  #current: Generation | null = null;
  #currentSinceMs = 0;
  #upgrading: Promise<UpgradeOutcome> | null = null;
  /** The first start, which upgrades wait for. */
  #begun: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  #finish: (exitCode: number) => void = () => undefined;

  constructor(parts: HolderParts) {
    this.#parts = parts;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Pid of the current generation; 0 where there is none. */
  get pid(): number {
    return this.#current?.pid ?? 0;
  }

  /** Starts the first generation. If that fails, the holder ends with its exit code. */
  async start(): Promise<void> {
    const first = this.#next();
    this.#begun = first;
    const { outcome } = await first;
    if (outcome.kind !== 'failed') return;
    this.#isEnding = true;
    this.#parts.log.error({ error: outcome.message }, `the first generation failed to start: ${outcome.message}`);
    this.#finish(outcome.exitCode ?? FAILED);
  }

  /** Starts the next generation, which replaces the current one; if that fails, the current one stays. One at a time. */
  upgrade(): Promise<UpgradeOutcome> {
    this.#upgrading ??= this.#upgrade().finally(() => {
      this.#upgrading = null;
    });
    return this.#upgrading;
  }

  /** Forwards a signal to every generation. After a signal that ends them, the holder ends when they have. */
  signal(signal: ForwardedSignal): void {
    if (ENDING.includes(signal)) {
      this.#isEnding = true;
      // The generations have descriptors of their own. Without ours the sockets close with theirs, and clients are refused.
      this.#parts.sockets.releaseAll();
    }
    for (const generation of this.#living) generation.send({ kind: 'signal', signal });
    if (this.#isEnding && this.#living.size === 0) this.#finish(FAILED);
  }

  onUpgradeRequest(generation: Generation): void {
    void this.upgrade().then((outcome) => generation.send({ kind: 'upgraded', outcome }));
  }

  onRelease(keys: readonly string[]): void {
    this.#parts.sockets.release(keys);
  }

  async #upgrade(): Promise<UpgradeOutcome> {
    const { log } = this.#parts;
    await this.#begun;
    const before = this.#current;
    if (this.#isEnding) return { ok: false, message: 'Fairlead is being stopped' };
    log.info({ pid: before?.pid }, 'upgrade: starting the next generation');
    const { outcome, generation } = await this.#next();
    if (outcome.kind === 'failed' || generation === null) {
      const why = outcome.kind === 'failed' ? outcome.message : 'it is not ready';
      const message = `the next generation failed to start: ${why}; process ${before?.pid ?? 0} keeps serving`;
      log.error({ pid: before?.pid }, message);
      return { ok: false, message };
    }
    before?.send({ kind: 'retire' });
    log.info({ pid: generation.pid, retired: before?.pid }, `process ${generation.pid} has taken over`);
    return { ok: true, pid: generation.pid };
  }

  /** Starts a generation with the sockets that it needs. */
  async #next(): Promise<{ outcome: StartOutcome; generation: Generation | null }> {
    const { sockets, command } = this.#parts;
    for (let starts = 1; starts <= MOST_STARTS; starts++) {
      const generation = new Generation(command, sockets.passedDescriptors(), this);
      this.#living.add(generation);
      void generation.ended.then((code) => this.#ended(generation, code));
      const outcome = await this.#startedInTime(generation);
      if (outcome.kind === 'ready') this.#serves(generation);
      if (outcome.kind !== 'needs') return { outcome, generation };
      await generation.ended;
      try {
        await sockets.provide(outcome.needs, this.#current === null);
      } catch (error) {
        return { outcome: { kind: 'failed', message: (error as Error).message, exitCode: null }, generation: null };
      }
    }
    const message = `it requested other sockets than it was given ${MOST_STARTS} times`;
    return { outcome: { kind: 'failed', message, exitCode: null }, generation: null };
  }

  async #startedInTime(generation: Generation): Promise<StartOutcome> {
    const limitMs = this.#parts.startLimitMs ?? START_LIMIT_MS;
    let late: StartOutcome | null = null;
    const timer = this.#parts.timers.after(limitMs, () => {
      late = { kind: 'failed', message: `it was not ready within ${limitMs / 1000} s`, exitCode: null };
      generation.kill();
    });
    const outcome = await generation.started;
    timer.cancel();
    return late ?? outcome;
  }

  #serves(generation: Generation): void {
    this.#current = generation;
    this.#currentSinceMs = this.#parts.nowMs();
  }

  #ended(generation: Generation, code: number | null): void {
    this.#living.delete(generation);
    const wasCurrent = generation === this.#current;
    if (wasCurrent) this.#current = null;
    if (this.#isEnding || (wasCurrent && code === 0)) {
      this.#isEnding = true;
      if (this.#living.size === 0) this.#finish(code ?? FAILED);
      return;
    }
    if (wasCurrent) this.#restartLater(generation, code);
  }

  /** Meanwhile the sockets stay open, and connections wait in their queues. */
  #restartLater(dead: Generation, code: number | null): void {
    const { log, nowMs, timers } = this.#parts;
    const delayMs = this.#policy.delayAfter(nowMs() - this.#currentSinceMs);
    log.error({ pid: dead.pid, exitCode: code }, `process ${dead.pid} died; starting another one in ${delayMs} ms`);
    timers.after(delayMs, () => {
      if (this.#isEnding || this.#current !== null) return;
      void this.upgrade().then(({ ok }) => {
        this.#currentSinceMs = nowMs();
        if (!ok && this.#current === null && !this.#isEnding) this.#restartLater(dead, code);
      });
    });
  }
}
