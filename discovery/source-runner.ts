// One source of one upstream while it runs: its last good set, its state, and the guard. Thread: main.

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { GuardSnapshot, SourceSnapshot } from '../core/snapshot/discovery.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import {
  areSettingsEqual,
  type DiscoveredEndpoint,
  type EndpointSet,
  idOf,
  type RunningSource,
  type SourceContext,
  type SourceEvents,
} from './source.ts';
import { sourceNamed } from './sources.ts';

/**
 * `pending`: no set is known yet. `current`: the last report was a set, which is in use. `stale`: the last report was a
 * failure, and the last good set is kept. `held`: the guard keeps the last set in place of a much smaller one.
 */
export type SourceState = 'pending' | 'current' | 'stale' | 'held';

/** States from which each state may be entered. */
const ALLOWED_FROM: Readonly<Record<SourceState, readonly SourceState[]>> = {
  pending: ['pending'],
  current: ['pending', 'current', 'stale', 'held'],
  stale: ['current', 'stale', 'held'],
  held: ['current', 'stale', 'held'],
};

/** A source as operators see it. */
export interface SourceView {
  readonly upstream: string;
  readonly source: string;
  /** Its subject: a path, a DNS name, an address. */
  readonly subject: string;
  readonly state: SourceState;
  /** Of the set in use; '' before the first. */
  readonly version: string;
  readonly endpoints: number;
  /** Wall-clock ms at which the set in use was last confirmed; null before the first. */
  readonly confirmedAt: number | null;
  /** Wall-clock ms at which the set in use last changed; null before the first. */
  readonly changedAt: number | null;
  /** Why it isn't current; '' where it is. */
  readonly cause: string;
  /** Reports of each kind since the source was started. */
  readonly updates: number;
  readonly failures: number;
}

/**
 * A change that operators should notice. `failed`: the last good set is kept; again with each new cause. `recovered`: from
 * that. `held`: by the guard. `shrunk`: much of the set was removed at once.
 */
export interface SourceEvent {
  /** Wall-clock ms. */
  readonly at: number;
  readonly upstream: string;
  readonly source: string;
  readonly subject: string;
  readonly change: 'failed' | 'recovered' | 'held' | 'shrunk';
  readonly cause: string;
  /** Of the set in use. */
  readonly endpoints: number;
}

export interface RunnerParts {
  /** The reason why the upstream can't have an endpoint; null where it can. */
  readonly refusalOf: (endpoint: DiscoveredEndpoint) => string | null;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly onEvent: (event: SourceEvent) => void;
  /** The set in use has changed. */
  readonly onChange: () => void;
  /** The first report has arrived, whichever it is. */
  readonly onReport: () => void;
}

/** Endpoints by `idOf`. */
type Members = ReadonlyMap<string, DiscoveredEndpoint>;

/** A set whose endpoints have addresses of their own. */
interface MemberSet extends Omit<EndpointSet, 'endpoints'> {
  readonly members: Members;
}

export class SourceRunner {
  readonly kind: string;
  readonly #upstream: string;
  readonly #subject: string;
  readonly #parts: RunnerParts;
  readonly #running: RunningSource;
  #state: SourceState = 'pending';
  #isStopped = false;
  #set: MemberSet = { version: '', members: new Map() };
  #held: MemberSet | null = null;
  #holdTimer: TimerHandle | null = null;
  #guard: GuardSnapshot | null;
  #confirmedAt: number | null = null;
  #changedAt: number | null = null;
  #cause = '';
  #updates = 0;
  #failures = 0;

  constructor(
    { kind, settings }: SourceSnapshot,
    guard: GuardSnapshot | null,
    context: SourceContext,
    parts: RunnerParts,
  ) {
    this.kind = kind;
    this.#subject = sourceNamed(kind).describe(settings);
    this.#upstream = context.upstream;
    this.#guard = guard;
    this.#parts = parts;
    const events: SourceEvents = { publish: (set) => this.#publish(set), fail: (cause) => this.#fail(cause) };
    this.#running = sourceNamed(kind).start(settings, context, events);
  }

  /** As in `dns:api.internal:3000`. */
  get origin(): string {
    return `${this.kind}:${this.#subject}`;
  }

  /** The last good set, by `idOf`. */
  get members(): Members {
    return this.#set.members;
  }

  get hasReported(): boolean {
    return this.#updates + this.#failures > 0;
  }

  view(): SourceView {
    return {
      upstream: this.#upstream,
      source: this.kind,
      subject: this.#subject,
      state: this.#state,
      version: this.#set.version,
      endpoints: this.#size,
      confirmedAt: this.#confirmedAt,
      changedAt: this.#changedAt,
      cause: this.#cause,
      updates: this.#updates,
      failures: this.#failures,
    };
  }

  /** Takes another guard over; a set that it lets pass is followed now. */
  setGuard(guard: GuardSnapshot | null): void {
    this.#guard = guard;
    if (this.#held !== null) this.#take(this.#held);
  }

  stop(): void {
    this.#isStopped = true;
    this.#release();
    this.#running.stop();
  }

  #publish(set: EndpointSet): void {
    if (this.#isStopped) return;
    // A list with an endpoint of another kind is wrong as a whole, as one that doesn't parse.
    for (const endpoint of set.endpoints) {
      const refusal = this.#parts.refusalOf(endpoint);
      if (refusal !== null) return this.#fail(refusal);
    }
    this.#updates++;
    const { endpoints, ...about } = set;
    this.#take({ ...about, members: membersOf(endpoints) });
    this.#parts.onReport();
  }

  #fail(cause: string): void {
    if (this.#isStopped) return;
    this.#failures++;
    const isNews = cause !== this.#cause;
    this.#cause = cause;
    this.#enter(this.#confirmedAt === null ? 'pending' : 'stale');
    if (isNews) this.#announceFailure();
    this.#parts.onReport();
  }

  #announceFailure(): void {
    const cause = this.#cause;
    this.#emit('failed', cause);
    const kept = this.#confirmedAt === null ? 'no endpoint is known yet' : `${this.#size} endpoint(s) are kept`;
    const fields = { upstream: this.#upstream, source: this.kind, cause, endpoints: this.#size };
    this.#parts.log.warn(fields, `source ${this.kind} of upstream ${this.#upstream} failed: ${cause}; ${kept}`);
  }

  get #size(): number {
    return this.#set.members.size;
  }

  #take(set: MemberSet): void {
    const before = this.#size;
    const removed = removedFrom(this.#set.members, set.members);
    if (isHeldBy(this.#guard, removed, before)) return this.#hold(set, removed);
    this.#release();
    const isEmptied = before > 0 && set.members.size === 0;
    if (isEmptied || isSudden(removed, before)) this.#warnSudden(set, removed);
    this.#follow(set);
  }

  #follow(set: MemberSet): void {
    const now = this.#parts.clock.wallMs();
    const wasKnown = this.#confirmedAt !== null;
    const hasChanged = !wasKnown || !areSame(this.#set.members, set.members);
    const { outdated = '' } = set;
    if (this.#state === 'stale' && outdated === '') this.#logRecovered();
    const isNews = outdated !== '' && outdated !== this.#cause;
    this.#set = set;
    this.#confirmedAt = now;
    this.#cause = outdated;
    this.#enter('current');
    if (outdated !== '') this.#enter('stale');
    if (isNews) this.#announceFailure();
    if (!hasChanged) return;
    this.#changedAt = now;
    this.#parts.onChange();
  }

  #hold(set: MemberSet, removed: number): void {
    const { holdMs, maxRemovedPercent } = this.#guard!;
    const isFirst = this.#held === null;
    this.#held = set;
    this.#cause = `the new set removes ${removed} of ${this.#size} endpoints, guard.maxRemovedPercent is ${maxRemovedPercent}`;
    this.#enter('held');
    if (!isFirst) return;
    this.#emit('held', this.#cause);
    const next = holdMs === 0 ? 'it is held until the source yields a larger one' : `it is held for ${holdMs / 1000} s`;
    const fields = { upstream: this.#upstream, source: this.kind, removed, endpoints: this.#size };
    const text = `source ${this.kind} of upstream ${this.#upstream} is held: ${this.#cause}; ${next}`;
    this.#parts.log.error(fields, text);
    if (holdMs > 0) this.#holdTimer = this.#parts.timers.after(holdMs, () => this.#endHold());
  }

  /** The source still yields a small set after the time of the guard. */
  #endHold(): void {
    const set = this.#held;
    this.#release();
    if (set === null) return;
    this.#warnSudden(set, removedFrom(this.#set.members, set.members));
    this.#follow(set);
  }

  #release(): void {
    this.#holdTimer?.cancel();
    this.#holdTimer = null;
    this.#held = null;
  }

  #enter(next: SourceState): void {
    if (ALLOWED_FROM[next].includes(this.#state)) this.#state = next;
  }

  #emit(change: SourceEvent['change'], cause: string): void {
    const { clock, onEvent } = this.#parts;
    const about = { upstream: this.#upstream, source: this.kind, subject: this.#subject };
    onEvent({ at: clock.wallMs(), ...about, change, cause, endpoints: this.#size });
  }

  #warnSudden({ members }: MemberSet, removed: number): void {
    const before = this.#size;
    const effect = `removes ${removed} of ${before} endpoints at once${members.size === 0 ? '; none is left' : ''}`;
    this.#emit('shrunk', effect);
    const fields = { upstream: this.#upstream, source: this.kind, removed, before };
    this.#parts.log.warn(fields, `source ${this.kind} of upstream ${this.#upstream} ${effect}`);
  }

  #logRecovered(): void {
    this.#emit('recovered', `after: ${this.#cause}`);
    const fields = { upstream: this.#upstream, source: this.kind };
    this.#parts.log.info(fields, `source ${this.kind} of upstream ${this.#upstream} works again`);
  }
}

/** The first of several endpoints with one address. */
function membersOf(endpoints: readonly DiscoveredEndpoint[]): Members {
  const byId = new Map<string, DiscoveredEndpoint>();
  for (const endpoint of endpoints) {
    const id = idOf(endpoint);
    if (!byId.has(id)) byId.set(id, endpoint);
  }
  return byId;
}

function areSame(before: Members, after: Members): boolean {
  if (before.size !== after.size) return false;
  for (const [id, endpoint] of after) {
    const known = before.get(id);
    if (known === undefined || !areSettingsEqual(known, endpoint)) return false;
  }
  return true;
}

/** Share of a set whose removal at once is logged as a warning, and the least number of endpoints. */
const LOUD_PERCENT = 50;
const LOUD_COUNT = 2;

/** Number of endpoints of `before` that `after` doesn't have. */
function removedFrom(before: Members, after: Members): number {
  let count = 0;
  for (const id of before.keys()) if (!after.has(id)) count++;
  return count;
}

/** Whether a set that removes so many endpoints is held. */
function isHeldBy(guard: GuardSnapshot | null, removed: number, before: number): boolean {
  return guard !== null && before > 0 && (100 * removed) / before > guard.maxRemovedPercent;
}

/** Whether operators should notice the removal. */
function isSudden(removed: number, before: number): boolean {
  return removed >= LOUD_COUNT && (100 * removed) / before >= LOUD_PERCENT;
}
