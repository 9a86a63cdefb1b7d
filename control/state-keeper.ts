// Keeps the state of endpoints in a file, so that a restart and an upgrade begin with what was known. Whatever goes wrong
// with the file is said once, and nothing else comes of it. Thread: main.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { parseSavedHealth, type SavedHealth } from '../config/files/saved-state.ts';
import type { Clock } from '../core/clock.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { Logger } from '../core/log.ts';
import type { HealthService } from '../health/health-service.ts';

/** A change is written within this time. */
const WRITE_AFTER_MS = 1_000;
/** 10,000 endpoints make 2 MB. */
const LARGEST_BYTES = 16 * 1024 * 1024;
const OWNER_ONLY = 0o600;

export interface StateKeeperParts {
  readonly health: Pick<HealthService, 'events' | 'save' | 'restore'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly timers: Timers;
  readonly log: Logger;
}

type Setting = NonNullable<Snapshot['healthState']>;

export class StateKeeper {
  readonly #parts: StateKeeperParts;
  #setting: Setting | null = null;
  #soon: TimerHandle | null = null;
  #refresh: TimerHandle | null = null;
  #unsubscribe: (() => void) | null = null;
  #isInTrouble = false;

  constructor(parts: StateKeeperParts) {
    this.#parts = parts;
  }

  /** Gives health what the file says; call once, when health has its first Snapshot. */
  restore({ file, maxAgeMs }: Setting): void {
    const { health, clock, log } = this.#parts;
    const saved = this.#read(file);
    if (saved === null) return;
    const ageMs = Math.max(0, clock.wallMs() - saved.savedAt);
    const isFresh = ageMs <= maxAgeMs;
    const count = health.restore(saved.endpoints, isFresh);
    const what = isFresh ? 'the state of' : 'only what operators set of';
    log.info({ file, ageMs: Math.round(ageMs), endpoints: count }, `${what} ${count} endpoint(s) is kept from ${file}`);
  }

  /** From now on the file is written; null: none is. */
  apply(setting: Snapshot['healthState']): void {
    this.#cancel();
    this.#setting = setting;
    if (setting === null) return;
    this.#unsubscribe = this.#parts.health.events.subscribe(() => {
      this.#soon ??= this.#parts.timers.after(WRITE_AFTER_MS, () => this.#write());
    });
    this.#write();
  }

  /** @param isLast false where another process has taken over: the file is its own now */
  stop(isLast: boolean): void {
    if (isLast && this.#setting !== null) this.#write();
    this.#cancel();
    this.#setting = null;
  }

  #cancel(): void {
    this.#soon?.cancel();
    this.#refresh?.cancel();
    this.#soon = null;
    this.#refresh = null;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Written to another file and renamed, so that nobody ever reads half of one. */
  #write(): void {
    const { file, maxAgeMs } = this.#setting!;
    this.#soon?.cancel();
    this.#soon = null;
    this.#refresh?.cancel();
    // What is known grows no older by itself: only while nobody runs.
    this.#refresh = this.#parts.timers.after(Math.max(WRITE_AFTER_MS, maxAgeMs / 4), () => this.#write());
    const draft = `${file}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, `${JSON.stringify(this.#parts.health.save())}\n`, { mode: OWNER_ONLY });
      renameSync(draft, file);
      if (this.#isInTrouble) this.#parts.log.info({ file }, `the state of endpoints is written to ${file} again`);
      this.#isInTrouble = false;
    } catch (error) {
      rmSync(draft, { force: true });
      if (!this.#isInTrouble) this.#warn(file, error, 'cannot be written; it will not be known after a restart');
      this.#isInTrouble = true;
    }
  }

  /** Null where there is nothing to be had. */
  #read(file: string): SavedHealth | null {
    try {
      const status = statSync(file, { throwIfNoEntry: false });
      if (status === undefined) return null;
      if (!status.isFile() || status.size > LARGEST_BYTES) throw new Error('it is no file of ours');
      return parseSavedHealth(readFileSync(file, 'utf8'));
    } catch (error) {
      this.#warn(file, error, 'cannot be read; all endpoints begin as new ones');
      return null;
    }
  }

  #warn(file: string, error: unknown, what: string): void {
    const { message } = error as Error;
    this.#parts.log.warn({ file, reason: message }, `the state of endpoints in ${file} ${what}: ${message}`);
  }
}
