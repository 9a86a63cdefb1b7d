// Name watch: finds endpoints whose host name has no address, and feeds the resolution axis. Heartbeats look the name up;
// where an upstream has none, the watch does so itself. Thread: main.

import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Region } from '../../core/memory/region.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { HeartbeatRecord } from '../checkers/checker.ts';
import type { EndpointHealth } from '../state/endpoint-health.ts';
import type { Publisher } from '../state/publisher.ts';
import { stampAgeMs } from './heartbeat-verdict.ts';

/** Interval of lookups where there are no heartbeats: as long as resolvers keep short-lived records. */
const LOOKUP_INTERVAL_MS = 10_000;
const UNRESOLVED_INTERVAL_MS = 2_000;
/** Failed lookups in a row that take an endpoint out which had an address before: resolvers fail for a moment. */
const FAILURES = 3;
/** Live traffic that succeeded so recently disproves a failed lookup: a connection to the endpoint is open. */
const LIVE_MS = 2_000;

/** Resolves a host name; `cause` is '' when it has an address, else it completes "name not resolved". */
export type Lookup = (host: string, done: (cause: string) => void) => void;

export interface NameWatchOptions {
  readonly region: Region;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly publisher: Publisher;
  readonly lookup: Lookup;
}

interface Watched {
  failures: number;
  wasResolved: boolean;
  timer: TimerHandle | null;
}

export class NameWatch {
  readonly #options: NameWatchOptions;
  readonly #watched = new Map<number, Watched>();

  constructor(options: NameWatchOptions) {
    this.#options = options;
  }

  /** Starts lookups for an endpoint without heartbeats whose host is a name; ends them otherwise. */
  watch(health: EndpointHealth, hasHeartbeat: boolean): void {
    const { slot, endpoint } = health;
    const needsLookup =
      !hasHeartbeat && endpoint.socketPath === '' && isIP(endpoint.host.replace(/^\[|\]$/g, '')) === 0;
    if (needsLookup) {
      if (this.#stateOf(slot).timer === null) this.#lookUp(health);
      return;
    }
    this.#stopTimer(slot);
    if (!hasHeartbeat) this.#found(health, '');
  }

  /** Takes a finished heartbeat. One that failed for another reason has resolved the name. */
  take(health: EndpointHealth, record: HeartbeatRecord, words: string): void {
    if (record.isUnresolved === true) this.#found(health, words);
    else if (record.kind !== 'unknown') this.#found(health, '');
  }

  /** Ends the lookups of a slot. */
  forget(slot: number): void {
    this.#stopTimer(slot);
    this.#watched.delete(slot);
  }

  #stateOf(slot: number): Watched {
    let watched = this.#watched.get(slot);
    if (watched === undefined) {
      watched = { failures: 0, wasResolved: false, timer: null };
      this.#watched.set(slot, watched);
    }
    return watched;
  }

  #stopTimer(slot: number): void {
    const watched = this.#watched.get(slot);
    watched?.timer?.cancel();
    if (watched !== undefined) watched.timer = null;
  }

  #lookUp(health: EndpointHealth): void {
    const watched = this.#stateOf(health.slot);
    // Holds the place of the next timer, so that a reload meanwhile starts no second lookup.
    watched.timer = { cancel: () => undefined };
    const held = watched.timer;
    this.#options.lookup(health.endpoint.host, (cause) => {
      if (watched.timer !== held) return;
      this.#found(health, cause === '' ? '' : `name not resolved: ${cause}`);
      const delayMs = cause === '' ? LOOKUP_INTERVAL_MS : UNRESOLVED_INTERVAL_MS;
      watched.timer = this.#options.timers.after(delayMs, () => this.#lookUp(health));
    });
  }

  /** @param cause '' when the name has an address */
  #found(health: EndpointHealth, cause: string): void {
    const watched = this.#stateOf(health.slot);
    const { resolution } = health.state.axes;
    if (cause === '') {
      watched.failures = 0;
      watched.wasResolved = true;
      if (resolution === 'resolved') return;
      health.state.setResolution('resolved', { detector: 'discovery', cause: 'its name has an address again' });
      return;
    }
    health.counters.resolutionFailures++;
    watched.failures++;
    const isCertain = !watched.wasResolved || watched.failures >= FAILURES;
    if (resolution === 'unresolved' || !isCertain || this.#isServing(health)) return;
    health.state.setResolution('unresolved', { detector: 'discovery', cause });
  }

  #isServing({ slot }: EndpointHealth): boolean {
    const { publisher, clock, region } = this.#options;
    return stampAgeMs(publisher.lastSuccess(slot), clock.wallMs() - region.originWallMs) < LIVE_MS;
  }
}
