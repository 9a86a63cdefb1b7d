// What main knows of the health of one endpoint, and of one upstream as the set of its endpoints. Thread: main.

import type { Availability } from '../core/availability.ts';
import type { EndpointSnapshot, UpstreamSnapshot } from '../core/snapshot.ts';
import { takeCensus, type Census } from './ejection-limit.ts';
import { EndpointState, type StateEdge, type StateSettings } from './endpoint-state.ts';
import type { HeartbeatRecord } from './heartbeat-contract.ts';

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
  ejections: number;
  /** Ejections that the limit forbade. */
  ejectionsRefused: number;
  suspicions: number;
  /** Changes of availability. */
  transitions: number;
}

/** A moment on both clocks. */
export interface Moment {
  /** Wall-clock ms. */
  readonly at: number;
  /** Monotonic ms. */
  readonly nowMs: number;
}

/** Availabilities that count as downtime: out, and not because the operator said so. */
const DOWNTIME: ReadonlySet<Availability> = new Set(['down', 'ejected', 'halfOpen', 'unresolved']);

/** One upstream's endpoints by slot. */
export class UpstreamHealth {
  snapshot: UpstreamSnapshot;
  readonly endpoints = new Map<number, EndpointHealth>();
  isAllDown = false;

  constructor(snapshot: UpstreamSnapshot) {
    this.snapshot = snapshot;
  }

  census(): Census {
    return takeCensus([...this.endpoints.values()].map(({ state }) => state));
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
    ejections: 0,
    ejectionsRefused: 0,
    suspicions: 0,
    transitions: 0,
  };
  /** Episodes, each said once: live traffic contradicts heartbeats; heartbeats can't be made at all. */
  isContradicted = false;
  isCheckerFailing = false;
  readonly #history: CountedHeartbeat[] = [];
  #since: Moment;
  #cause = 'added';
  #downtimeMs = 0;

  /** @param onEdge is told of every edge of the endpoint's state. */
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

  /** When the present availability began, and why. */
  get since(): Moment & { readonly cause: string } {
    return { ...this.#since, cause: this.#cause };
  }

  /** The newest heartbeats, oldest first. */
  get history(): readonly CountedHeartbeat[] {
    return this.#history;
  }

  /** Takes what a reload changed. A changed configured weight takes the place of the operator's. */
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
    this.counters.transitions++;
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
