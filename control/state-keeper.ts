// Saves the state of endpoints in a file, so that a restart or an upgrade begins with it. Errors of the file are logged
// once, and have no other effect. Thread: main.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { parseSavedHealth, type SavedHealth } from '../config/files/saved-state.ts';
import type { Clock } from '../core/clock.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { Logger } from '../core/log.ts';
import type { HealthService } from '../health/health-service.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

/** Longest time in ms until a change is written. */
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

export class StateKeeper implements SnapshotConsumer {
  readonly #parts: StateKeeperParts;
  #setting: Setting | null = null;
  #soon: TimerHandle | null = null;
  #refresh: TimerHandle | null = null;
  #unsubscribe: (() => void) | null = null;
  #isFirst = true;
  /** Whether the last write failed: logged once. */
  #hasFailed = false;

  constructor(parts: StateKeeperParts) {
    this.#parts = parts;
  }

  /** The first Snapshot restores the saved state; from then on changes are written. */
  apply({ healthState }: Snapshot): void {
    if (this.#isFirst && healthState !== null) this.#restore(healthState);
    this.#isFirst = false;
    this.#cancel();
    this.#setting = healthState;
    if (healthState === null) return;
    this.#unsubscribe = this.#parts.health.events.subscribe(() => {
      this.#soon ??= this.#parts.timers.after(WRITE_AFTER_MS, () => this.#write());
    });
    this.#write();
  }

  stop(): void {
    if (this.#setting !== null) this.#write();
    this.handOver();
  }

  /** Writes no more: another process has taken over, and owns the file now. */
  handOver(): void {
    this.#cancel();
    this.#setting = null;
  }

  #restore({ file, maxAgeMs }: Setting): void {
    const { health, clock, log } = this.#parts;
    const saved = this.#read(file);
    if (saved === null) return;
    const ageMs = Math.max(0, clock.wallMs() - saved.savedAt);
    const isFresh = ageMs <= maxAgeMs;
    const count = health.restore(saved.endpoints, isFresh);
    const what = isFresh ? 'state' : 'operator settings';
    log.info(
      { file, ageMs: Math.round(ageMs), endpoints: count },
      `${what} of ${count} endpoint(s) restored from ${file}`,
    );
  }

  #cancel(): void {
    this.#soon?.cancel();
    this.#refresh?.cancel();
    this.#soon = null;
    this.#refresh = null;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Writes another file and renames it, so that no reader ever sees half of one. */
  #write(): void {
    const { file, maxAgeMs } = this.#setting!;
    this.#soon?.cancel();
    this.#soon = null;
    this.#refresh?.cancel();
    // The age counts from the last write: it must not expire while the process runs.
    this.#refresh = this.#parts.timers.after(Math.max(WRITE_AFTER_MS, maxAgeMs / 4), () => this.#write());
    const draft = `${file}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, `${JSON.stringify(this.#parts.health.save())}\n`, { mode: OWNER_ONLY });
      renameSync(draft, file);
      if (this.#hasFailed) this.#parts.log.info({ file }, `endpoint state is written to ${file} again`);
      this.#hasFailed = false;
    } catch (error) {
      rmSync(draft, { force: true });
      if (!this.#hasFailed) this.#warn(file, error, 'cannot be written: a restart will begin without it');
      this.#hasFailed = true;
    }
  }

  /** Null where there is no usable file. */
  #read(file: string): SavedHealth | null {
    try {
      const status = statSync(file, { throwIfNoEntry: false });
      if (status === undefined) return null;
      if (!status.isFile() || status.size > LARGEST_BYTES) throw new Error('not a state file');
      return parseSavedHealth(readFileSync(file, 'utf8'));
    } catch (error) {
      this.#warn(file, error, 'cannot be read: all endpoints begin as new ones');
      return null;
    }
  }

  #warn(file: string, error: unknown, what: string): void {
    const { message } = error as Error;
    this.#parts.log.warn({ file, reason: message }, `endpoint state in ${file} ${what} (${message})`);
  }
}
