// An upstream in a shared region for tests of balancers, which write the endpoints' words directly. Thread: both.

import { upstreamSnapshot } from './snapshots.ts';
import { AVAILABILITY, type Availability } from '../../core/availability.ts';
import type { Balancer, OutcomeObserver } from '../../core/balancer.ts';
import {
  E_AVAILABILITY,
  E_FACTOR,
  E_INFLIGHT,
  E_LIMIT,
  E_TOKEN,
  E_WARM_START,
  E_WEIGHT,
  FULL_FACTOR,
  UPSTREAM,
} from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import { reserve } from '../../core/memory/reservation.ts';
import { seededRandom, type Random } from '../../core/random.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { BalanceSnapshot, UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { selectCandidates } from '../../balancers/candidates.ts';
import { balancerNamed, buildBalancer } from '../../balancers/registry.ts';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';

/** A request with fields chosen by the test. */
export interface TestRequest {
  hash1: number;
  hash2: number;
  nowMs: number;
  triedCount: number;
  mayRetry: boolean;
  mayUseLastResort: boolean;
  triedSlots: Int32Array;
}

export interface BalancingOptions {
  readonly balance: BalanceSnapshot;
  /** Weights of the primaries, in order of their slots. */
  readonly weights: readonly number[];
  /** Weights of the backups, whose slots follow. */
  readonly backups?: readonly number[];
  readonly seed?: number;
  /** An existing region, to share it. */
  readonly region?: Region;
  readonly worker?: number;
  /** Slot of the first endpoint. */
  readonly firstSlot?: number;
  /** Replaces the upstream that weights and backups describe. */
  readonly upstream?: UpstreamSnapshot;
}

/** Default settings of each balancer. */
export const BALANCES = {
  leastRequest: { kind: 'least-request' },
  roundRobin: { kind: 'round-robin' },
  random: { kind: 'random', choices: 1 },
  randomTwo: { kind: 'random', choices: 2 },
  peakEwma: { kind: 'peak-ewma', decayMs: 10_000, errorPenaltyMs: 1000 },
  first: { kind: 'first' },
  hash: { kind: 'consistent-hash', key: { kind: 'path' }, boundedLoad: 0, tableSize: 65_537, seed: 0 },
  boundedHash: { kind: 'consistent-hash', key: { kind: 'path' }, boundedLoad: 1.25, tableSize: 65_537, seed: 0 },
} as const satisfies Record<string, BalanceSnapshot>;

/** A request without any attributes. */
export function testRequest(): TestRequest {
  return {
    hash1: 0,
    hash2: 0,
    nowMs: 0,
    mayRetry: true,
    mayUseLastResort: false,
    triedCount: 0,
    triedSlots: new Int32Array(1024),
  };
}

/** A region large enough for most tests. */
export function testRegion(endpoints = 64, workers = 4): Region {
  return Region.allocate({ endpoints, upstreams: 4, workers, listeners: 1 }, 0);
}

export class Balancing {
  readonly region: Region;
  readonly upstream: UpstreamSnapshot;
  readonly picker: UpstreamPicker;
  readonly request = testRequest();
  readonly random: Random;
  /** Only for balancers that weight endpoints by outcomes; otherwise null. */
  readonly observer: OutcomeObserver | null;
  readonly #worker: number;
  readonly #firstSlot: number;

  constructor(options: BalancingOptions) {
    const backups = options.backups ?? [];
    this.#firstSlot = options.firstSlot ?? 0;
    this.#worker = options.worker ?? 0;
    this.region = options.region ?? testRegion(Math.max(64, this.#firstSlot + options.weights.length + backups.length));
    this.random = seededRandom(options.seed ?? 1);
    const weights = [...options.weights, ...backups];
    const endpoints = weights.map((weight, index) =>
      endpointSnapshot(this.#firstSlot + index, weight, index >= options.weights.length),
    );
    this.upstream = options.upstream ?? upstreamOf(options.balance, endpoints);
    const context = { region: this.region, worker: this.#worker, random: this.random };
    this.picker = new UpstreamPicker(this.upstream, context);
    const { balance } = this.upstream;
    this.observer = balancerNamed(balance.kind).observe?.(balance, this.region) ?? null;
  }

  /** Index of the picked endpoint, or a failure. Draws random keys if `keyed` is true. */
  pick(keyed = true): number {
    if (keyed) this.drawKey();
    const slot = this.picker.pick(this.request);
    return slot < 0 ? slot : slot - this.#firstSlot;
  }

  drawKey(): void {
    this.request.hash1 = Math.floor(this.random.next() * 2 ** 32);
    this.request.hash2 = Math.floor(this.random.next() * 2 ** 32);
  }

  /** Picks `count` times and returns the picks of each endpoint. With `held` every request stays in flight. */
  shares(count: number, held = false): number[] {
    const counts = this.upstream.endpoints.map(() => 0);
    for (let i = 0; i < count; i++) {
      const index = this.pick();
      counts[index]!++;
      if (held) reserve(this.region, this.#worker, this.#firstSlot + index);
    }
    return counts;
  }

  /** Builds a balancer from the present state, outside the picker. */
  buildBalancer(random: Random = this.random): Balancer {
    const context = { region: this.region, upstreamIndex: this.upstream.index, worker: this.#worker, random };
    return buildBalancer(this.upstream.balance, selectCandidates(this.upstream, this.region, null), context);
  }

  try(...indices: readonly number[]): void {
    indices.forEach((index, i) => (this.request.triedSlots[i] = this.#firstSlot + index));
    this.request.triedCount = indices.length;
  }

  setAvailability(index: number, availability: Availability): void {
    this.#write(index, E_AVAILABILITY, AVAILABILITY[availability]);
    this.moveEpoch();
  }

  setWeight(index: number, weight: number): void {
    this.#write(index, E_WEIGHT, weight);
    this.moveEpoch();
  }

  /** @param factor 0 to 1. */
  setFactor(index: number, factor: number): void {
    this.#write(index, E_FACTOR, Math.round(factor * FULL_FACTOR));
  }

  /** Starts or ends a slow start; only the start increments the epoch, as in the real publisher. */
  setWarming(index: number, isWarming: boolean): void {
    this.#write(index, E_WARM_START, isWarming ? 1 : 0);
    if (isWarming) this.moveEpoch();
  }

  setLimit(index: number, limit: number): void {
    this.#write(index, E_LIMIT, limit);
  }

  setInflight(index: number, inflight: number): void {
    this.#write(index, E_INFLIGHT, inflight);
  }

  setToken(index: number, token: number): void {
    this.#write(index, E_TOKEN, token);
  }

  inflight(index: number): number {
    return this.region.words[this.region.endpointWord(this.#firstSlot + index) + E_INFLIGHT]!;
  }

  moveEpoch(): void {
    Atomics.add(this.region.words, this.region.upstreamWord(this.upstream.index) + UPSTREAM.epoch.index, 1);
  }

  #write(index: number, word: number, value: number): void {
    Atomics.store(this.region.words, this.region.endpointWord(this.#firstSlot + index) + word, value);
  }
}

function endpointSnapshot(slot: number, weight: number, backup: boolean): EndpointSnapshot {
  const host = `10.0.${slot >> 8}.${slot & 255}`;
  const id = `${host}:3000`;
  const address = { protocol: 'http', host, port: 3000, socketPath: '' } as const;
  const origin = { source: 'config', origin: 'configured', zone: '', metadata: {} };
  return { name: `app/${id}`, id, slot, generation: 1, ...address, weight, backup, ...origin };
}

function upstreamOf(balance: BalanceSnapshot, endpoints: readonly EndpointSnapshot[]): UpstreamSnapshot {
  return upstreamSnapshot({ name: 'app', balance, endpoints });
}
