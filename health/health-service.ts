// Health as the rest of main uses it: takes Snapshots, workers' messages and the operator's wishes, and joins
// heartbeats, outlier detection, the endpoints' state, the publisher and the record of what happened. Thread: main.

import { lookup } from 'node:dns';
import type { SavedEndpoint, SavedHealth } from '../config/files/saved-state.ts';
import type { Admin, Availability } from '../core/availability.ts';
import type { Clock } from '../core/clock.ts';
import type { Region } from '../core/memory/region.ts';
import type { EndpointChange, MessageToMain } from '../core/messages.ts';
import type { Random } from '../core/random.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { Timers } from '../core/timers.ts';
import { AdaptiveLimits } from './weight/adaptive-limits.ts';
import { AgentFeedback } from './weight/agent-feedback.ts';
import { isOut, isUsable } from './outlier/ejection-limit.ts';
import type { EndpointHealth, Moment, UpstreamHealth } from './state/endpoint-health.ts';
import type { StateEdge } from './state/endpoint-state.ts';
import type { EndpointView } from './record/endpoint-view.ts';
import type { Explanation } from './record/endpoint-explanation.ts';
import { HealthViews } from './record/health-views.ts';
import { HealthEvents } from './record/health-events.ts';
import type { Logger } from '../core/log.ts';
import { HealthRecorder } from './record/health-recorder.ts';
import { HealthRoster, type RosterChange } from './health-roster.ts';
import type { HeartbeatRecord, RunCheck } from './checkers/checker.ts';
import { HeartbeatIntake } from './heartbeat/heartbeat-intake.ts';
import { chooseInterval, type IntervalChoice, lacksCapacity } from './heartbeat/heartbeat-timing.ts';
import { type Lookup, NameWatch } from './heartbeat/name-watch.ts';
import { Heartbeats } from './heartbeat/heartbeats.ts';
import { OutlierDetection, type OutlierMessage } from './outlier/outlier-detection.ts';
import { OutlierSweep } from './outlier/outlier-sweep.ts';
import { Overflow } from './outlier/overflow.ts';
import { Publisher } from './state/publisher.ts';
import { OperatorSettings } from './state/operator-settings.ts';
import { restoreHealth, saveHealth } from './state/saved-health.ts';
import { SlowStart } from './weight/slow-start.ts';
import { limitOf, WeightShares } from './weight/weight-shares.ts';

/** State changes kept: hours of a bad day, and bounded. */
const EVENT_CAPACITY = 1_000;
const OUTLIER_MESSAGES: ReadonlySet<MessageToMain['kind']> = new Set([
  'threshold',
  'suspect',
  'silent',
  'alive',
  'trial',
]);

export interface HealthServiceOptions {
  readonly region: Region;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly log: Logger;
  readonly runCheck: RunCheck;
  /** Resolves host names; the system's resolver if absent. */
  readonly lookup?: Lookup;
  /** An endpoint is down, in maintenance or without an address: idle connections to it are worth nothing. */
  readonly onOutOfUse?: (slot: number) => void;
}

export class HealthService {
  /** Recent state changes; can be subscribed to. */
  readonly events = new HealthEvents(EVENT_CAPACITY);
  readonly #options: HealthServiceOptions;
  readonly #publisher: Publisher;
  readonly #roster: HealthRoster;
  readonly #heartbeats: Heartbeats;
  readonly #intake: HeartbeatIntake;
  readonly #detection: OutlierDetection;
  readonly #sweep: OutlierSweep;
  readonly #recorder: HealthRecorder;
  readonly #shares: WeightShares;
  readonly #slowStart: SlowStart;
  readonly #overflow: Overflow;
  readonly #agents: AgentFeedback;
  readonly #names: NameWatch;
  readonly #limits: AdaptiveLimits;
  readonly #views: HealthViews;
  readonly #operator: OperatorSettings;

  constructor(options: HealthServiceOptions) {
    this.#options = options;
    this.#publisher = new Publisher(options.region);
    this.#recorder = new HealthRecorder(options.log, options.clock, this.events);
    this.#shares = new WeightShares(this.#publisher);
    const parts = { ...options, publisher: this.#publisher, shares: this.#shares, recorder: this.#recorder };
    this.#slowStart = new SlowStart(parts);
    this.#overflow = new Overflow(parts);
    this.#agents = new AgentFeedback(parts);
    this.#limits = new AdaptiveLimits(parts);
    this.#roster = new HealthRoster((health, edge) => this.#onEdge(health, edge));
    this.#heartbeats = new Heartbeats({
      ...options,
      intervalOf: (slot) => this.#intervalOf(slot),
      onResult: (slot, record) => this.#onHeartbeat(slot, record),
    });
    this.#names = new NameWatch({ ...parts, lookup: options.lookup ?? systemLookup });
    this.#intake = new HeartbeatIntake({ ...parts, agents: this.#agents, names: this.#names });
    const known = { ...parts, roster: this.#roster, heartbeats: this.#heartbeats, events: this.events };
    this.#views = new HealthViews(known);
    this.#operator = new OperatorSettings({ ...known, publishTerms: (health) => this.#publishTerms(health) });
    const checkNow = (slot: number, isUrgent = false): boolean => this.#heartbeats.checkNow(slot, isUrgent);
    this.#detection = new OutlierDetection({ ...parts, overflow: this.#overflow, checkNow });
    this.#sweep = new OutlierSweep({ ...options, onOutlier: (...outlier) => this.#detection.onOutlier(...outlier) });
  }

  /**
   * Applies a Snapshot before workers receive it: publishes the words of new endpoints, keeps the state of those that stay
   * (by slot and generation), and ends the heartbeats of those that go.
   */
  apply(snapshot: Snapshot): void {
    const change = this.#roster.apply(snapshot, this.#now());
    this.#take(change, () => this.#limits.apply(this.#roster.upstreams));
    this.#sweep.apply(this.#roster.upstreams);
    for (const upstream of this.#roster.upstreams) this.#refresh(upstream);
  }

  /** Applies other endpoints of some upstreams; those of the others are not looked at. */
  amend(snapshot: Snapshot, { upstreams }: EndpointChange): void {
    const changed = new Set(upstreams.map(({ index }) => index));
    const now = this.#now();
    for (const upstream of snapshot.upstreams) {
      if (!changed.has(upstream.index)) continue;
      const { health, ...change } = this.#roster.amend(upstream, now);
      this.#take(change, () => this.#limits.amend(health, change));
      this.#sweep.begin(health);
      this.#refresh(health);
    }
  }

  #take({ added, kept, removed }: RosterChange, takeLimits: () => void): void {
    for (const { slot } of removed) {
      this.#heartbeats.remove(slot);
      this.#forget(slot);
    }
    takeLimits();
    for (const health of added) {
      this.#publisher.adopt(health.upstream.snapshot.index, health.endpoint, limitOf(health));
    }
    for (const health of kept) this.#publishTerms(health);
    for (const health of [...added, ...kept]) this.#watch(health);
    for (const health of added) this.#operator.admit(health);
  }

  #refresh(upstream: UpstreamHealth): void {
    this.#detection.onReload(upstream);
    this.#shares.refresh(upstream);
    this.#noteAllDown(upstream);
  }

  /** Takes any message of a worker; those that aren't about health, or about an earlier owner of a slot, are ignored. */
  onWorkerMessage(message: MessageToMain): void {
    if (!OUTLIER_MESSAGES.has(message.kind)) return;
    const report = message as OutlierMessage;
    const health = this.#roster.bySlot(report.slot);
    if (health === undefined || health.endpoint.generation !== report.generation) return;
    this.#detection.onMessage(health, report);
  }

  /** A worker has ended: trials of half-open endpoints that it had begun will not be reported. */
  onWorkerGone(worker: number): void {
    for (const { slot } of this.#roster.endpoints) this.#publisher.freeTokenOf(slot, worker);
  }

  /**
   * Sets the state that the operator requests for an endpoint.
   * @param endpoint its name, with or without `upstream/`.
   * @param who for log and record, as in `admin API`.
   * @returns false when there is no such endpoint.
   */
  setAdmin(upstream: string, endpoint: string, admin: Admin, who: string): boolean {
    return this.#operator.setAdmin(upstream, endpoint, admin, who);
  }

  /** Gives `upstream/address` a state before it is added: workers see it in no other. @returns a function that withdraws it */
  awaitEndpoint(name: string, admin: Admin, who: string): () => void {
    return this.#operator.await(name, admin, who);
  }

  /**
   * Sets an endpoint's weight until the configured one changes. @returns false when there is no such endpoint.
   * @throws RangeError when `weight` isn't a whole number from 1 to 256.
   */
  setWeight(upstream: string, endpoint: string, weight: number, who: string): boolean {
    return this.#operator.setWeight(upstream, endpoint, weight, who);
  }

  /** State to save for a restart. */
  save(): SavedHealth {
    return saveHealth(this.#roster.endpoints, this.#now());
  }

  /**
   * Restores saved state of endpoints that exist; call it after the first `apply`.
   * @param isFresh false: only what operators set is taken, because the rest is too old
   * @returns of how many
   */
  restore(saved: readonly SavedEndpoint[], isFresh: boolean): number {
    return restoreHealth(saved, isFresh, {
      now: this.#now(),
      find: (upstream, endpoint) => this.#roster.byName(upstream, endpoint),
      setWeight: (...weight) => this.setWeight(...weight),
    });
  }

  /** Begins a heartbeat now. Returns false where the endpoint has none, or is in maintenance. */
  checkNow(slot: number): boolean {
    return this.#heartbeats.checkNow(slot);
  }

  /** All endpoints in the order of their slots. */
  endpoints(): EndpointView[] {
    return this.#views.list(this.#now());
  }

  /** Why an endpoint is in the state that it is in; null when there is no such endpoint. */
  explain(upstream: string, endpoint: string): Explanation | null {
    return this.#views.explain(upstream, endpoint, this.#now());
  }

  /** Ends heartbeats and timers. Nothing changes state after it. */
  stop(): void {
    this.#heartbeats.stop();
    this.#sweep.stop();
    this.#limits.stop();
    for (const { slot } of this.#roster.endpoints) this.#forget(slot);
  }

  /** Drops all state of a slot. */
  #forget(slot: number): void {
    const parts = [this.#detection, this.#sweep, this.#slowStart, this.#overflow, this.#agents, this.#names];
    for (const part of [...parts, this.#recorder]) part.forget(slot);
  }

  #now(): Moment {
    return { at: this.#options.clock.wallMs(), nowMs: this.#options.clock.nowMs() };
  }

  #publishTerms(health: EndpointHealth): void {
    this.#publisher.terms(health.upstream.snapshot.index, health.slot, health.weight, limitOf(health));
  }

  /** Starts, changes or stops an endpoint's heartbeats as configured. */
  #watch(health: EndpointHealth): void {
    const { snapshot: upstream } = health.upstream;
    const { heartbeat } = upstream;
    if (heartbeat?.acceptsAgentFeedback !== true) this.#agents.dismiss(health);
    this.#names.watch(health, heartbeat !== null);
    if (heartbeat !== null) {
      this.#heartbeats.set({ endpoint: health.endpoint, upstream, heartbeat });
    } else {
      this.#heartbeats.remove(health.slot);
      const because = { detector: 'reload', cause: 'no heartbeat is configured any more' } as const;
      health.state.heartbeat('forget', this.#options.clock.nowMs(), because);
    }
  }

  #intervalOf(slot: number): IntervalChoice {
    const health = this.#roster.bySlot(slot);
    if (health === undefined) return 'none';
    return chooseInterval(health, this.#options.clock.nowMs(), () =>
      lacksCapacity(health.upstream, this.#options.region),
    );
  }

  #onHeartbeat(slot: number, record: HeartbeatRecord): void {
    const health = this.#roster.bySlot(slot);
    if (health === undefined) return;
    const passed = this.#intake.take(health, record);
    if (passed !== null) this.#detection.onPass(health, record, passed);
  }

  /** Every edge of every axis of every endpoint: publish, record, log, then what follows from it. */
  #onEdge(health: EndpointHealth, edge: StateEdge): void {
    health.lastEdges.set(edge.axis, { ...edge, at: this.#options.clock.wallMs() });
    if (edge.before === edge.after) this.#recorder.edge(health, edge);
    else this.#onChange(health, edge);
    this.#detection.onEdge(health, edge);
    this.#noteAllDown(health.upstream);
    if (edge.axis !== 'check') this.#heartbeats.reschedule(health.slot);
    if (!isUsable(edge.before) || isUsable(edge.after)) return;
    // The upstream may lack capacity now: look for recovered endpoints sooner.
    for (const { slot, state } of health.upstream.endpoints.values()) {
      if (state.axes.check === 'down') this.#heartbeats.reschedule(slot);
    }
  }

  /** A change of availability. The share is published first, so that no worker sees the endpoint back at full weight. */
  #onChange(health: EndpointHealth, edge: StateEdge): void {
    const { before, after } = edge;
    health.noteChange(edge, this.#now());
    const slowStartMoved = this.#slowStart.onChange(health, edge);
    const overflowMoved = this.#overflow.onChange(health, edge);
    this.#publisher.availability(health.upstream.snapshot.index, health.slot, before, after);
    this.#shares.refresh(health.upstream);
    if (endsUse(health, edge)) this.#options.onOutOfUse?.(health.slot);
    if (isOut(before) && !isOut(after)) this.#sweep.onReturn(health);
    this.#recorder.edge(health, edge);
    if (slowStartMoved) this.#recorder.slowStart(health, edge);
    if (overflowMoved) this.#recorder.overflow(health, edge);
  }

  /** Publishes whether no endpoint of an upstream takes requests. */
  #noteAllDown(upstream: UpstreamHealth): void {
    const isAllDown = !upstream.takesRequests();
    if (upstream.isAllDown === isAllDown) return;
    upstream.isAllDown = isAllDown;
    this.#publisher.allDown(upstream.snapshot.index, upstream.isAllDown);
  }
}

/** Whether a change makes open connections to the endpoint worthless. */
function endsUse({ upstream }: EndpointHealth, { before, after }: StateEdge): boolean {
  if (after === 'ejected') return upstream.snapshot.onDown === 'close';
  return isOutOfUse(after) && !isOutOfUse(before);
}

function isOutOfUse(availability: Availability): boolean {
  return availability === 'down' || availability === 'maintenance' || availability === 'unresolved';
}

function systemLookup(host: string, done: (cause: string) => void): void {
  lookup(host, (error) => done(error === null ? '' : (error.code ?? error.message)));
}
