// A HealthService on a fake clock, with checkers controlled by the test and a readable log. Thread: main.

import { AVAILABILITY_NAMES, type Availability } from '../../core/availability.ts';
import type { Signal } from '../../core/failure.ts';
import { ENDPOINT_FIELD } from '../../core/memory/lane-fields.ts';
import { E_AVAILABILITY, E_FACTOR, E_LAST_SUCCESS, ENDPOINT, FULL_FACTOR, UPSTREAM } from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import { seededRandom } from '../../core/random.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HeartbeatSnapshot, PassiveSnapshot } from '../../core/snapshot/health.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import { HealthService } from '../../health/health-service.ts';
import type { Lookup } from '../../health/heartbeat/name-watch.ts';
import type { HeartbeatResult, RunCheck } from '../../health/checkers/checker.ts';
import { FakeClock } from './fake-clock.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from './snapshots.ts';
import { type LogLine, recordingLog } from './loggers.ts';

export const HEARTBEAT: HeartbeatSnapshot = {
  kind: 'http',
  service: '',
  path: '/healthz',
  method: 'GET',
  host: '',
  statuses: [200, 399],
  port: 0,
  intervalMs: 2_000,
  fastIntervalMs: 500,
  downIntervalMs: 5_000,
  timeoutMs: 1_000,
  rise: 2,
  fall: 3,
  bodyPattern: '',
  expectedFields: [],
  acceptsAgentFeedback: false,
  isDecisive: false,
};

export const PASSES: HeartbeatResult = { kind: 'ok', cause: 'got 200' };
export const REFUSED: HeartbeatResult = { kind: 'fail', cause: 'connection refused' };
export const UNRESOLVED: HeartbeatResult = {
  kind: 'unknown',
  cause: 'name not resolved: ENOTFOUND',
  isUnresolved: true,
};
export const OWN_TROUBLE: HeartbeatResult = {
  kind: 'unknown',
  cause: 'no file descriptor left in this process (EMFILE)',
};

/** A started check. */
export interface PlayedCheck {
  readonly slot: number;
  readonly startedMs: number;
  isCancelled: boolean;
}

/** Answers heartbeats with `results`, `latencyMs` after their start. Without a result a check passes; null hangs. */
export class PlayedChecker {
  readonly results = new Map<number, HeartbeatResult | null>();
  readonly began: PlayedCheck[] = [];
  latencyMs = 0;
  /** Running checks by slot, and the maximum at any time. */
  readonly running = new Map<number, number>();
  mostRunning = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  readonly check: RunCheck = ({ endpoint }, done) => {
    const { slot } = endpoint;
    const played: PlayedCheck = { slot, startedMs: this.#clock.nowMs(), isCancelled: false };
    this.began.push(played);
    this.#count(slot, 1);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      this.#count(slot, -1);
    };
    const answer = (): void => {
      const result = this.results.has(slot) ? this.results.get(slot)! : PASSES;
      if (result === null || isOver) return;
      end();
      done(result);
    };
    if (this.latencyMs === 0) answer();
    else this.#clock.after(this.latencyMs, answer);
    const cancel = (): void => {
      if (!isOver) played.isCancelled = true;
      end();
    };
    return { phase: () => 'waiting for the response', cancel };
  };

  /** Start times of an endpoint's checks, monotonic ms. */
  startsOf(slot: number): number[] {
    return this.began.filter((check) => check.slot === slot).map((check) => check.startedMs);
  }

  #count(slot: number, by: number): void {
    this.running.set(slot, (this.running.get(slot) ?? 0) + by);
    const total = [...this.running.values()].reduce((sum, one) => sum + one, 0);
    this.mostRunning = Math.max(this.mostRunning, total);
  }
}

export interface BenchOptions {
  readonly endpoints?: number;
  readonly heartbeat?: Partial<HeartbeatSnapshot> | null;
  readonly passive?: Partial<PassiveSnapshot>;
  readonly slowStartMs?: number;
  readonly maxConnections?: number;
  readonly seed?: number;
  /** Resolver of host names; every name has an address if absent. */
  readonly lookup?: Lookup;
}

/** One upstream `api` with its health service. Not applied until `begin`. */
export class HealthBench {
  readonly clock = new FakeClock();
  readonly checker = new PlayedChecker(this.clock);
  readonly region = Region.allocate({ endpoints: 2_048, upstreams: 4, workers: 2, listeners: 1 }, this.clock.wallMs());
  readonly lines: LogLine[] = [];
  /** Slots passed to `onOutOfUse`. */
  readonly outOfUse: number[] = [];
  readonly health: HealthService;
  upstream: UpstreamSnapshot;

  constructor(options: BenchOptions = {}) {
    const { endpoints = 3, heartbeat = {}, passive = {}, slowStartMs = 0, maxConnections = 0, seed = 1 } = options;
    const plain = upstreamSnapshot();
    this.upstream = {
      ...plain,
      limits: { ...plain.limits, maxConnections },
      endpoints: Array.from({ length: endpoints }, (_, slot) => endpointSnapshot(slot)),
      heartbeat: heartbeat === null ? null : { ...HEARTBEAT, ...heartbeat },
      passive: { ...plain.passive, ...passive },
      slowStartMs,
    };
    this.health = new HealthService({
      region: this.region,
      clock: this.clock,
      timers: this.clock,
      random: seededRandom(seed),
      log: recordingLog(this.lines),
      runCheck: this.checker.check,
      lookup: options.lookup ?? ((_host, done) => done('')),
      onOutOfUse: (slot) => this.outOfUse.push(slot),
    });
    // A timestamp of 0 means never: start late enough that the present one isn't 0.
    this.clock.advance(1_000);
  }

  /** Applies the Snapshot; by default also waits until every endpoint has passed its first heartbeat. */
  begin(settleMs = 2_100): this {
    this.apply();
    this.clock.advance(settleMs);
    return this;
  }

  /** Applies the Snapshot with changed parts of the upstream. */
  apply(parts: Partial<UpstreamSnapshot> = {}): void {
    this.upstream = { ...this.upstream, ...parts };
    this.health.apply(snapshot({ upstreams: [this.upstream] }));
  }

  endpoint(slot: number): EndpointSnapshot {
    return this.upstream.endpoints.find((one) => one.slot === slot)!;
  }

  view(slot: number): EndpointView {
    return this.health.endpoints().find((one) => one.slot === slot)!;
  }

  /** Availability in shared memory, as workers read it. */
  published(slot: number): Availability {
    return AVAILABILITY_NAMES[this.word(slot, E_AVAILABILITY)]!;
  }

  allPublished(): Availability[] {
    return this.upstream.endpoints.map(({ slot }) => this.published(slot));
  }

  /** Weight share in shared memory, as balancers read it. */
  share(slot: number): number {
    return this.word(slot, E_FACTOR) / FULL_FACTOR;
  }

  /** Records successes or failures of one worker's live traffic. */
  traffic(slot: number, ok: number, fail: number, worker = 0): void {
    const lane = this.region.endpointLane(worker, slot);
    this.region.doubles[lane + ENDPOINT_FIELD.ok]! += ok;
    this.region.doubles[lane + ENDPOINT_FIELD.fail]! += fail;
  }

  word(slot: number, index: number): number {
    return this.region.words[this.region.endpointWord(slot) + index]!;
  }

  setWord(slot: number, index: number, value: number): void {
    this.region.words[this.region.endpointWord(slot) + index] = value;
  }

  get epoch(): number {
    return this.region.words[this.region.upstreamWord(0) + UPSTREAM.epoch.index]!;
  }

  get isAllDown(): boolean {
    return this.region.words[this.region.upstreamWord(0) + UPSTREAM.allDown.index] === 1;
  }

  /** Records a success of live traffic at the present time. */
  succeed(slot: number): void {
    this.setWord(slot, E_LAST_SUCCESS, Math.floor(this.clock.wallMs() - this.region.originWallMs));
  }

  /** Reports that consecutive failures have reached the threshold. */
  cross(slot: number, signal: Signal = 'connect'): void {
    this.setWord(slot, ENDPOINT.consecutiveFailures.index, this.upstream.passive.consecutiveFailures);
    const { generation } = this.endpoint(slot);
    this.health.onWorkerMessage({ kind: 'threshold', slot, generation, signal });
  }

  /** Marks and reports a suspicion, as a worker does. */
  suspect(slot: number, signal: Signal = 'connect'): void {
    this.setWord(slot, ENDPOINT.suspect.index, 1);
    const { generation } = this.endpoint(slot);
    this.health.onWorkerMessage({ kind: 'suspect', slot, generation, signal });
  }

  /** Takes a half-open endpoint's token and reports the trial, as a worker does. */
  trial(slot: number, ok: boolean): void {
    this.setWord(slot, ENDPOINT.halfOpenToken.index, 1);
    const { generation } = this.endpoint(slot);
    this.health.onWorkerMessage({ kind: 'trial', slot, generation, ok });
  }

  /** Texts of the log lines of level info and above. */
  get texts(): string[] {
    return this.lines.filter(({ level }) => level !== 'debug').map(({ text }) => text);
  }
}
