// A queueing model of an upstream under open-loop load: ranks balancers by ratios, not by milliseconds (docs/algorithms.md 1.5).
// Poisson arrivals; each endpoint serves a few requests concurrently and queues the others; log-normal service times.
// Thread: both.

import { release, reserve } from '../../core/memory/reservation.ts';
import { seededRandom, type Random } from '../../core/random.ts';
import type { BalanceSnapshot } from '../../core/snapshot/upstream.ts';
import { Balancing } from './balancing.ts';

export interface ModelEndpoint {
  /** Requests served concurrently. */
  readonly places: number;
  /** Factor of service times; 10 is ten times slower. */
  readonly slowness: number;
  /** Time after which a broken endpoint fails each request, at any load; 0 for a working endpoint. */
  readonly failsAfterMs: number;
}

export interface Model {
  readonly balance: BalanceSnapshot;
  readonly endpoints: readonly ModelEndpoint[];
  /** Arrivals as a fraction of the capacity of all working endpoints. */
  readonly load: number;
  readonly requests: number;
  readonly seed: number;
}

export interface ModelResult {
  /** Latencies of successful requests in order of completion. */
  readonly latenciesMs: readonly number[];
  /** Fraction of all requests that each endpoint received. */
  readonly shares: readonly number[];
  readonly failedShare: number;
}

const MEAN_SERVICE_MS = 10;
const SIGMA = 0.6;

/** `count` endpoints that serve four requests concurrently; `special` overrides parts of the first. */
export function modelEndpoints(count: number, special: Partial<ModelEndpoint> = {}): ModelEndpoint[] {
  const normal = { places: 4, slowness: 1, failsAfterMs: 0 };
  return Array.from({ length: count }, (_, index) => (index === 0 ? { ...normal, ...special } : normal));
}

interface Request {
  readonly arrivedMs: number;
  readonly endpoint: number;
}

/** Runs the model. The same seed gives every balancer the same arrivals and service times. */
export function runModel(model: Model): ModelResult {
  return new Run(model).result();
}

class Run {
  readonly #model: Model;
  readonly #balancing: Balancing;
  readonly #arrivals: Random;
  readonly #services: Random;
  readonly #events = new EventHeap<Request>();
  readonly #waiting: Request[][];
  readonly #busy: number[];
  readonly #counts: number[];
  readonly #latenciesMs: number[] = [];
  #failed = 0;
  #nowMs = 0;

  constructor(model: Model) {
    this.#model = model;
    const { balance, endpoints, seed } = model;
    this.#balancing = new Balancing({ balance, weights: endpoints.map(() => 1), seed });
    this.#arrivals = seededRandom(seed + 1000);
    this.#services = seededRandom(seed + 2000);
    this.#waiting = endpoints.map(() => []);
    this.#busy = endpoints.map(() => 0);
    this.#counts = endpoints.map(() => 0);
  }

  result(): ModelResult {
    const working = this.#model.endpoints.filter((endpoint) => endpoint.failsAfterMs === 0);
    const perMs = working.reduce((sum, one) => sum + one.places / (one.slowness * MEAN_SERVICE_MS), 0);
    const gapMs = 1 / (perMs * this.#model.load);
    let nextMs = 0;
    for (let arrived = 0; arrived < this.#model.requests; arrived++) {
      nextMs += -Math.log(1 - this.#arrivals.next()) * gapMs;
      while (this.#events.size > 0 && this.#events.nextMs <= nextMs) this.#finish();
      this.#nowMs = nextMs;
      this.#arrive();
    }
    while (this.#events.size > 0) this.#finish();
    return {
      latenciesMs: this.#latenciesMs,
      shares: this.#counts.map((count) => count / this.#model.requests),
      failedShare: this.#failed / this.#model.requests,
    };
  }

  #arrive(): void {
    this.#balancing.request.nowMs = this.#nowMs;
    const endpoint = this.#balancing.pick();
    reserve(this.#balancing.region, 0, endpoint);
    this.#counts[endpoint]!++;
    const request = { arrivedMs: this.#nowMs, endpoint };
    const { failsAfterMs, places } = this.#model.endpoints[endpoint]!;
    if (failsAfterMs > 0) this.#events.push(this.#nowMs + failsAfterMs, request);
    else if (this.#busy[endpoint]! < places) this.#serve(request);
    else this.#waiting[endpoint]!.push(request);
  }

  #serve(request: Request): void {
    this.#busy[request.endpoint]!++;
    const serviceMs = logNormal(this.#services) * this.#model.endpoints[request.endpoint]!.slowness;
    this.#events.push(this.#nowMs + serviceMs, request);
  }

  #finish(): void {
    this.#nowMs = this.#events.nextMs;
    const { endpoint, arrivedMs } = this.#events.pop();
    const { region } = this.#balancing;
    release(region, 0, endpoint);
    const tookMs = this.#nowMs - arrivedMs;
    const isFailed = this.#model.endpoints[endpoint]!.failsAfterMs > 0;
    if (isFailed) this.#balancing.observer?.failed(endpoint, tookMs, this.#nowMs);
    else this.#balancing.observer?.answered(endpoint, tookMs, this.#nowMs);
    if (isFailed) {
      this.#failed++;
      return;
    }
    this.#latenciesMs.push(tookMs);
    this.#busy[endpoint]!--;
    const next = this.#waiting[endpoint]!.shift();
    if (next !== undefined) this.#serve(next);
  }
}

/** Mean MEAN_SERVICE_MS; normal variate by Box-Muller. */
function logNormal(random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.exp(Math.log(MEAN_SERVICE_MS) - SIGMA ** 2 / 2 + SIGMA * normal);
}

/** A binary heap of events by time. */
class EventHeap<T> {
  readonly #items: { readonly atMs: number; readonly what: T }[] = [];

  get size(): number {
    return this.#items.length;
  }

  get nextMs(): number {
    return this.#items[0]!.atMs;
  }

  push(atMs: number, what: T): void {
    const items = this.#items;
    items.push({ atMs, what });
    for (let at = items.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (items[parent]!.atMs <= items[at]!.atMs) return;
      [items[parent], items[at]] = [items[at]!, items[parent]!];
      at = parent;
    }
  }

  pop(): T {
    const items = this.#items;
    const { what } = items[0]!;
    const last = items.pop()!;
    if (items.length > 0) items[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < items.length && items[child]!.atMs < items[least]!.atMs) least = child;
      }
      if (least === at) return what;
      [items[least], items[at]] = [items[at]!, items[least]!];
      at = least;
    }
  }
}
