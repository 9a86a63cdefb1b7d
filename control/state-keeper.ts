// Saves the state of endpoints, maintenance and weights of splits in a file, so that a restart or an upgrade begins with it. Errors of the file are logged
// once, and have no other effect. Thread: main.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { parseSavedState, type SavedEndpoint, type SavedState } from '../config/files/saved-state.ts';
import type { Clock } from '../core/clock.ts';
import type { EndpointChange } from '../core/messages.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { Logger } from '../core/log.ts';
import type { HealthService } from '../health/health-service.ts';
import type { AddedEndpoints } from './added-endpoints.ts';
import type { Maintenance } from './maintenance.ts';
import type { SplitWeights } from './split-weights.ts';
import type { SnapshotConsumer, SnapshotGate } from './snapshot-owner.ts';

/** Longest time in ms until a change is written. */
const WRITE_AFTER_MS = 1_000;
/** 10,000 endpoints make 2 MB. */
const LARGEST_BYTES = 16 * 1024 * 1024;
const OWNER_ONLY = 0o600;
/** Ends the name of a file that could not be read. */
const INVALID = '.invalid';

export interface StateKeeperParts {
  readonly health: Pick<HealthService, 'events' | 'save' | 'restore'>;
  readonly maintenance: Pick<Maintenance, 'subscribe' | 'save' | 'restore'>;
  readonly splits: Pick<SplitWeights, 'subscribe' | 'save' | 'restore'>;
  readonly added: Pick<AddedEndpoints, 'subscribe' | 'save' | 'restore'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly timers: Timers;
  readonly log: Logger;
}

type Setting = NonNullable<Snapshot['healthState']>;

export class StateKeeper implements SnapshotGate, SnapshotConsumer {
  readonly #parts: StateKeeperParts;
  #setting: Setting | null = null;
  #soon: TimerHandle | null = null;
  #refresh: TimerHandle | null = null;
  #unsubscribe: (() => void) | null = null;
  #isFirst = true;
  /** Content of the file at the start, until the first Snapshot is applied. */
  #saved: SavedState | null = null;
  /** Saved state of endpoints that their source hasn't reported yet since the start. */
  #awaited: Pick<SavedState, 'savedAt' | 'endpoints'> = { savedAt: 0, endpoints: [] };
  /** Whether the last write failed: logged once. */
  #hasFailed = false;

  constructor(parts: StateKeeperParts) {
    this.#parts = parts;
  }

  /** Before the first Snapshot, maintenance and splits are restored: no request may pass ahead of them. */
  prepare(next: Snapshot): Promise<Snapshot> {
    if (this.#isFirst && next.healthState !== null) {
      this.#saved = this.#read(next.healthState.file);
      this.#parts.maintenance.restore(this.#saved?.inMaintenance ?? []);
      this.#parts.splits.restore(this.#saved?.splitWeights ?? []);
      this.#parts.added.restore(this.#saved?.addedEndpoints ?? []);
    }
    this.#isFirst = false;
    return Promise.resolve(next);
  }

  /** The first Snapshot restores the saved state of endpoints; from then on changes are written. */
  apply(snapshot: Snapshot): void {
    const { healthState } = snapshot;
    if (this.#saved !== null && healthState !== null) {
      this.#awaited = this.#saved;
      this.#restoreKnown(snapshot, healthState);
    }
    this.#saved = null;
    // Without a source in its upstream, an endpoint that is missing has been removed.
    const discovered = new Set(snapshot.upstreams.flatMap(({ name, discovery }) => (discovery === null ? [] : [name])));
    const endpoints = this.#awaited.endpoints.filter(({ upstream }) => discovered.has(upstream));
    this.#awaited = { ...this.#awaited, endpoints };
    this.#cancel();
    this.#setting = healthState;
    if (healthState === null) return;
    const { health, maintenance, splits, added, timers } = this.#parts;
    const writeSoon = (): void => void (this.#soon ??= timers.after(WRITE_AFTER_MS, () => this.#write()));
    const changing = [health.events, maintenance, splits, added];
    const subscriptions = changing.map((part) => part.subscribe(writeSoon));
    this.#unsubscribe = () => subscriptions.forEach((unsubscribe) => unsubscribe());
    this.#write();
  }

  /** A source may have its first set long after the start: what was drained must not get requests then. */
  amend(snapshot: Snapshot, { upstreams }: EndpointChange): void {
    if (this.#awaited.endpoints.length === 0 || this.#setting === null) return;
    const changed = new Set(upstreams.map(({ index }) => index));
    this.#restoreKnown({ upstreams: snapshot.upstreams.filter(({ index }) => changed.has(index)) }, this.#setting);
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

  /** Restores the state of awaited endpoints that are in these upstreams; the others stay awaited. */
  #restoreKnown({ upstreams }: Pick<Snapshot, 'upstreams'>, { file, maxAgeMs }: Setting): void {
    const { health, clock, log } = this.#parts;
    const { savedAt, endpoints } = this.#awaited;
    const known = new Set(upstreams.flatMap(({ name, endpoints: all }) => all.map(({ id }) => keyOf(name, id))));
    const isKnown = ({ upstream, endpoint }: SavedEndpoint): boolean => known.has(keyOf(upstream, endpoint));
    const due = endpoints.filter(isKnown);
    // The log names the file at the start, also where nothing in it applies.
    if (due.length === 0 && this.#setting !== null) return;
    this.#awaited = { savedAt, endpoints: endpoints.filter((one) => !isKnown(one)) };
    const ageMs = Math.max(0, clock.wallMs() - savedAt);
    const isFresh = ageMs <= maxAgeMs;
    const count = health.restore(due, isFresh);
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
      writeFileSync(draft, `${JSON.stringify(this.#state())}\n`, { mode: OWNER_ONLY });
      renameSync(draft, file);
      if (this.#hasFailed) this.#parts.log.info({ file }, `endpoint state is written to ${file} again`);
      this.#hasFailed = false;
    } catch (error) {
      removeDraft(draft);
      if (!this.#hasFailed)
        this.#warn(
          file,
          error,
          'cannot be written: a restart would begin with what was written before, until a later write succeeds',
        );
      this.#hasFailed = true;
    }
  }

  #state(): SavedState {
    const { health, maintenance, splits, added } = this.#parts;
    const [inMaintenance, splitWeights, addedEndpoints] = [maintenance.save(), splits.save(), added.save()];
    const saved = health.save();
    const endpoints = [...saved.endpoints, ...this.#awaited.endpoints.flatMap(settingsOf)];
    return { ...saved, endpoints, inMaintenance, splitWeights, addedEndpoints };
  }

  /** Null where there is no usable file. */
  #read(file: string): SavedState | null {
    try {
      const status = statSync(file, { throwIfNoEntry: false });
      if (status === undefined) return null;
      if (!status.isFile() || status.size > LARGEST_BYTES) throw new Error('not a state file');
      return parseSavedState(readFileSync(file, 'utf8'));
    } catch (error) {
      const kept = keepAside(file) ? `; the file is kept as ${file}${INVALID}` : '';
      this.#warn(file, error, `cannot be read: endpoints begin as new ones, without drains and weights${kept}`);
      return null;
    }
  }

  #warn(file: string, error: unknown, what: string): void {
    const { message } = error as Error;
    this.#parts.log.warn({ file, reason: message }, `endpoint state in ${file} ${what} (${message})`);
  }
}

/** Renames a file that can't be read before the next write replaces it: it may have the operator's settings, and a newer version may read it. */
function keepAside(file: string): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    renameSync(file, `${file}${INVALID}`);
    return true;
  } catch {
    return false;
  }
}

function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // Its directory can't be reached, or is no longer one: nothing was written there.
  }
}

function keyOf(upstream: string, endpoint: string): string {
  return `${upstream}/${endpoint}`;
}

/** Settings by the operator of an endpoint that is still awaited, without findings, which grow old; empty for none. */
function settingsOf(saved: SavedEndpoint): readonly SavedEndpoint[] {
  if (saved.admin === 'ready' && saved.weight === null) return [];
  return [{ ...saved, check: 'unknown', ejection: null }];
}
