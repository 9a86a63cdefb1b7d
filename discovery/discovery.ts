// The sources of all upstreams: starts those of a Snapshot before it is installed, keeps those that stay, and stops the
// others. Thread: main.

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { SourceSnapshot } from '../core/snapshot/discovery.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import type { Timers } from '../core/timers.ts';
import { refusalOf } from './admission.ts';
import { FirstReports } from './first-reports.ts';
import type { DiscoveredEndpoint, SourceContext } from './source.ts';
import { type SourceEvent, SourceRunner, type SourceView } from './source-runner.ts';

/** A new source gets this long for its first report before its Snapshot is installed without it. */
const FIRST_REPORT_MS = 2_000;

export interface DiscoveryParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly files: SourceContext['files'];
  readonly parseList: SourceContext['parseList'];
  /** The endpoints of an upstream have changed. */
  readonly onChange: (upstream: string) => void;
  readonly onEvent: (event: SourceEvent) => void;
}

/** An endpoint and the source that yields it. */
export interface SourcedEndpoint {
  /** As of `idOf`. */
  readonly id: string;
  readonly source: string;
  /** The source with its subject. */
  readonly origin: string;
  readonly endpoint: DiscoveredEndpoint;
}

/** The parts of an upstream that discovery needs. */
type Discovering = Pick<UpstreamSnapshot, 'name' | 'protocol' | 'discovery'>;

export class Discovery {
  readonly #parts: DiscoveryParts;
  /** By upstream with its protocol, source and settings: a source restarts when one of them changes. */
  readonly #runners = new Map<string, SourceRunner>();
  /** Keys of the sources of each upstream in the Snapshot that runs, in the order of the file. */
  #current = new Map<string, readonly string[]>();
  /** The same for a Snapshot that is being prepared; null where there is none. */
  #next: Map<string, readonly string[]> | null = null;
  readonly #reports = new FirstReports();

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  /**
   * Starts the sources of a Snapshot that don't run yet. Resolves when each of them has reported something, or after two
   * seconds: a source that doesn't answer delays no reload for longer.
   */
  async prepare(upstreams: readonly Discovering[]): Promise<void> {
    const next = new Map<string, readonly string[]>();
    for (const upstream of upstreams) next.set(upstream.name, this.#startAll(upstream));
    this.#next = next;
    const fresh = [...next.values()].flat().flatMap((key) => this.#runners.get(key) ?? []);
    const isDone = (): boolean => fresh.every(({ hasReported }) => hasReported);
    await this.#reports.wait(isDone, this.#parts.timers, FIRST_REPORT_MS);
  }

  /** The Snapshot that was prepared runs: the sources that only the one before had are stopped. */
  apply(upstreams: readonly Discovering[]): void {
    this.#current = this.#next ?? new Map();
    this.#next = null;
    for (const { name, discovery } of upstreams) {
      for (const key of this.#current.get(name) ?? []) this.#runners.get(key)?.setGuard(discovery?.guard ?? null);
    }
    this.#stopUnused();
  }

  /** The Snapshot that was prepared is refused. */
  discard(): void {
    this.#next = null;
    this.#stopUnused();
  }

  stop(): void {
    for (const runner of this.#runners.values()) runner.stop();
    this.#runners.clear();
  }

  /** Last good sets of an upstream's sources. An address that two of them have belongs to the first. */
  endpointsOf(upstream: string): readonly SourcedEndpoint[] {
    const keys = (this.#next ?? this.#current).get(upstream) ?? [];
    const byId = new Map<string, SourcedEndpoint>();
    for (const key of keys) {
      const runner = this.#runners.get(key);
      if (runner === undefined) continue;
      const { kind: source, origin } = runner;
      for (const [id, endpoint] of runner.members) {
        if (!byId.has(id)) byId.set(id, { id, source, origin, endpoint });
      }
    }
    return [...byId.values()];
  }

  /** The sources of the Snapshot that runs. */
  views(): SourceView[] {
    return [...this.#current.values()].flat().flatMap((key) => this.#runners.get(key)?.view() ?? []);
  }

  #startAll(upstream: Discovering): readonly string[] {
    return (upstream.discovery?.sources ?? []).map((source) => {
      const key = keyOf(upstream, source);
      if (!this.#runners.has(key)) this.#runners.set(key, this.#start(upstream, source));
      return key;
    });
  }

  #start(upstream: Discovering, source: SourceSnapshot): SourceRunner {
    const { clock, timers, random, log, files, parseList, onChange, onEvent } = this.#parts;
    const { name, discovery } = upstream;
    const context = { upstream: name, clock, timers, random, files, parseList };
    return new SourceRunner(source, discovery?.guard ?? null, context, {
      clock,
      timers,
      log,
      refusalOf: (endpoint) => refusalOf(endpoint, upstream),
      onEvent,
      onChange: () => onChange(name),
      onReport: () => this.#reports.reported(),
    });
  }

  #stopUnused(): void {
    const used = new Set([...this.#current.values()].flat());
    for (const [key, runner] of this.#runners) {
      if (used.has(key)) continue;
      runner.stop();
      this.#runners.delete(key);
    }
  }
}

function keyOf({ name, protocol }: Discovering, { kind, settings }: SourceSnapshot): string {
  return JSON.stringify([name, protocol, kind, settings]);
}
