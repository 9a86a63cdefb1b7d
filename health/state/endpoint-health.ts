// Health of one endpoint, and of one upstream as the set of its endpoints. Thread: main.

import type { Availability } from '../../core/availability.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { type AgentState, newAgentState } from '../weight/agent-state.ts';
import type { ConcurrencyGradient } from '../weight/concurrency-gradient.ts';
import type { Because, Detector } from './detector.ts';
import { isUsable, takeCensus, type Census } from '../outlier/ejection-limit.ts';
import { EndpointState, type AxisName, type StateEdge, type StateSettings } from './endpoint-state.ts';
import type { HeartbeatRecord } from '../checkers/checker.ts';

/** Heartbeat results kept to answer why an endpoint is out. */
const HISTORY = 8;
/** Thresholds and step where no heartbeat is configured: the first are never used. */
const NO_HEARTBEAT = { rise: 1, fall: 1, fastIntervalMs: 500 };

/** A finished heartbeat as it counted: `contradicted` by live traffic, so not at all. */
export interface CountedHeartbeat extends HeartbeatRecord {
  /** Wall-clock ms of its end. */
  readonly at: number;
  readonly isContradicted: boolean;
}

/** Counters of one endpoint since it was added; they only grow. */
export interface HealthCounters {
  checks: number;
  /** Failed through the endpoint's fault, contradicted ones included. */
  checksFailed: number;
  /** Failed through our own: they counted for nothing. */
  checksUnknown: number;
  checksContradicted: number;
  /** Lookups of its host name that found no address. */
  resolutionFailures: number;
  ejections: number;
  /** Ejections that the limit forbade. */
  ejectionsRefused: number;
  suspicions: number;
  slowStarts: number;
  /** Changes of availability. */
  transitions: number;
}

/** Factors on the share of its weight that an endpoint carries. 1 is all of it; the factors multiply. */
export interface ShareParts {
  slowStart: number;
  /** Below 1 where it should have been ejected, and the limit forbade it. */
  overflow: number;
  /** Requested by the endpoint itself, smoothed; up to 2. */
  agent: number;
}

/** A span of time with an end that is known. */
export interface Span {
  readonly startedMs: number;
  readonly untilMs: number;
}

/** Axis, new value and detector of a change: the labels by which changes are counted. */
export interface ChangeLabels {
  readonly axis: AxisName | 'weight' | 'slowStart' | 'share';
  readonly to: string;
  readonly detector: Detector;
}

/** How often something has changed in this way. */
export interface ChangeCount extends ChangeLabels {
  count: number;
}

/** A moment on both clocks. */
export interface Moment {
  /** Wall-clock ms. */
  readonly at: number;
  /** Monotonic ms. */
  readonly nowMs: number;
}

/** Availabilities that count as downtime: out of service, but not by the operator. */
const DOWNTIME: ReadonlySet<Availability> = new Set(['down', 'ejected', 'halfOpen', 'unresolved']);

/** One upstream's endpoints by slot. */
export class UpstreamHealth {
  snapshot: UpstreamSnapshot;
  readonly endpoints = new Map<number, EndpointHealth>();
  isAllDown = false;

  constructor(snapshot: UpstreamSnapshot) {
    this.snapshot = snapshot;
  }

  /** Whether any endpoint takes requests, half-open ones included. */
  takesRequests(): boolean {
    const states = [...this.endpoints.values()].map(({ state }) => state.availability);
    return states.some((availability) => isUsable(availability) || availability === 'halfOpen');
  }

  /** Whether an endpoint is up and free of suspicion. */
  hasEndpointUp(): boolean {
    return [...this.endpoints.values()].some(({ state }) => state.availability === 'up');
  }

  census(): Census {
    return takeCensus([...this.endpoints.values()].map(({ state }) => state));
  }

  /** Whether another endpoint of the same tier takes ordinary requests: one to spare `health` some. */
  hasPeerOf(health: EndpointHealth): boolean {
    for (const other of this.endpoints.values()) {
      const isPeer = other !== health && other.endpoint.backup === health.endpoint.backup;
      if (isPeer && isUsable(other.state.availability)) return true;
    }
    return false;
  }
}

export class EndpointHealth {
  endpoint: EndpointSnapshot;
  readonly upstream: UpstreamHealth;
  readonly state: EndpointState;
  /** 1..256: the configured weight, or the operator's. */
  weight: number;
  readonly counters: HealthCounters = {
    checks: 0,
    checksFailed: 0,
    checksUnknown: 0,
    checksContradicted: 0,
    resolutionFailures: 0,
    ejections: 0,
    ejectionsRefused: 0,
    suspicions: 0,
    slowStarts: 0,
    transitions: 0,
  };
  readonly agent: AgentState = newAgentState();
  readonly shares: ShareParts = { slowStart: 1, overflow: 1, agent: 1 };
  /** The share of its weight that is published. */
  share = 1;
  /** Finds its adaptive limit; null for a fixed one. */
  gradient: ConcurrencyGradient | null = null;
  /** Its slow start, while one is under way; monotonic ms. */
  warming: Span | null = null;
  /** Whether it drains after it was out or since it was added: its next service begins with a slow start. */
  isCold = false;
  /** Set while `shares.overflow` is below 1, with the last reason. */
  overflow: (Span & Because) | null = null;
  /** The last edge of each axis, for `why`. */
  readonly lastEdges = new Map<AxisName, StateEdge & { readonly at: number }>();
  readonly #changes = new Map<string, ChangeCount>();
  /** Episodes, logged once each: live traffic contradicts heartbeats; heartbeats can't be made at all. */
  isContradicted = false;
  isCheckerFailing = false;
  /** Monotonic ms since which a live request has waited without any answer of the endpoint; null where none is known. */
  silentSinceMs: number | null = null;
  /** Monotonic ms since which it has answered live requests although it is down; null where it hasn't. */
  aliveSinceMs: number | null = null;
  readonly #history: CountedHeartbeat[] = [];
  #since: Moment;
  #cause = 'added';
  #detector: Detector | null = null;
  #downtimeMs = 0;

  /** @param onEdge called for every transition of the endpoint's state */
  constructor(
    upstream: UpstreamHealth,
    endpoint: EndpointSnapshot,
    now: Moment,
    onEdge: (health: EndpointHealth, edge: StateEdge) => void,
  ) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.#since = now;
    this.state = new EndpointState(settingsOf(upstream.snapshot), (edge) => onEdge(this, edge));
  }

  get slot(): number {
    return this.endpoint.slot;
  }

  /** Start and cause of the present availability; the detector is null if it has not changed since the endpoint was added. */
  get since(): Moment & { readonly cause: string; readonly detector: Detector | null } {
    return { ...this.#since, cause: this.#cause, detector: this.#detector };
  }

  /** The newest heartbeats, oldest first. */
  get history(): readonly CountedHeartbeat[] {
    return this.#history;
  }

  /** Applies a reload. A changed configured weight replaces the operator's. */
  update(endpoint: EndpointSnapshot): void {
    if (endpoint.weight !== this.endpoint.weight) this.weight = endpoint.weight;
    this.endpoint = endpoint;
    this.state.retune(settingsOf(this.upstream.snapshot));
  }

  /** Notes a change of availability. */
  noteChange(edge: StateEdge, now: Moment): void {
    this.#downtimeMs = this.#downtimeAt(now.nowMs, edge.before);
    this.#since = now;
    this.#cause = edge.cause;
    this.#detector = edge.detector;
    this.counters.transitions++;
  }

  /** Changes by kind, since the endpoint was added. */
  get changes(): readonly Readonly<ChangeCount>[] {
    return [...this.#changes.values()];
  }

  countChange({ axis, to, detector }: ChangeLabels): void {
    const key = `${axis} ${to} ${detector}`;
    const known = this.#changes.get(key);
    if (known === undefined) this.#changes.set(key, { axis, to, detector, count: 1 });
    else known.count++;
  }

  noteHeartbeat(heartbeat: CountedHeartbeat): void {
    this.#history.push(heartbeat);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.counters.checks++;
    if (heartbeat.kind === 'fail') this.counters.checksFailed++;
    if (heartbeat.kind === 'unknown') this.counters.checksUnknown++;
    if (heartbeat.isContradicted) this.counters.checksContradicted++;
  }

  /** Ms out of service against the operator's will since the endpoint was added. */
  downtimeMs(nowMs: number): number {
    return this.#downtimeAt(nowMs, this.state.availability);
  }

  #downtimeAt(nowMs: number, availability: Availability): number {
    return this.#downtimeMs + (DOWNTIME.has(availability) ? nowMs - this.#since.nowMs : 0);
  }
}

function settingsOf({ heartbeat, passive }: UpstreamSnapshot): StateSettings {
  const { rise, fall, fastIntervalMs } = heartbeat ?? NO_HEARTBEAT;
  const { ejectionBaseMs, ejectionMaxMs } = passive;
  return { thresholds: { rise, fall }, outlier: { ejectionBaseMs, ejectionMaxMs, suspicionStepMs: fastIntervalMs } };
}
