// A queueing model of one endpoint behind an adaptive limit: Poisson arrivals, a few requests served concurrently, the others
// queued in the endpoint up to the limit, and in front of it for a limited time. The limit comes from the real health
// service over real shared memory. Thread: both.

import { latencyBucketOf } from '../../core/memory/lane-fields.ts';
import { E_LIMIT } from '../../core/memory/layout.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import { seededRandom, type Random } from '../../core/random.ts';
import { HealthBench } from './health-bench.ts';

/** Conditions during a period. */
export interface Stretch {
  readonly seconds: number;
  /** Requests served concurrently. */
  readonly places: number;
  readonly meanMs: number;
  /** Arrivals as a fraction of the capacity of 20 places at 10 ms: 2,000 a second. */
  readonly load: number;
  /** Fraction of the requests that the endpoint answers with 500 within a millisecond. */
  readonly failing?: number;
}

export interface StretchResult {
  /** Successful responses within RESPONSE_MS of their arrival, per second. */
  readonly goodPerSecond: number;
  readonly p99Ms: number;
  /** Final limit, and its mean and bounds over the second half. */
  readonly limit: number;
  readonly meanLimit: number;
  readonly least: number;
  readonly most: number;
}

const RESPONSE_MS = 1_000;
const QUEUE_MS = 400;
const FULL_PER_MS = 2;

interface Request {
  readonly arrivedMs: number;
  sentMs: number;
  isFailing: boolean;
}

export class ConcurrencyModel {
  readonly bench: HealthBench;
  readonly #random: Random;
  /** Ends of requests in service, and the queues in the endpoint and in front of it. */
  readonly #served: { readonly endMs: number; readonly request: Request }[] = [];
  readonly #inEndpoint: Request[] = [];
  readonly #inFront: Request[] = [];
  #stretch!: Stretch;
  #good = 0;
  #latencies: number[] = [];
  #limits: number[] = [];

  /** @param maxConnections upper bound of the limit; 0 is none */
  constructor(seed: number, maxConnections = 0, isAdaptive = true) {
    this.bench = new HealthBench({ endpoints: 1, heartbeat: null, seed });
    this.bench.apply({ limits: { maxConnections, maxQueue: 0, maxIdle: 64, isAdaptive } });
    this.#random = seededRandom(seed + 77);
  }

  get limit(): number {
    return this.bench.word(0, E_LIMIT);
  }

  play(stretch: Stretch): StretchResult {
    const { clock } = this.bench;
    this.#stretch = stretch;
    this.#good = 0;
    this.#latencies = [];
    this.#limits = [];
    const endMs = clock.nowMs() + stretch.seconds * 1_000;
    const halfMs = endMs - stretch.seconds * 500;
    let arrivalMs = clock.nowMs() + this.#draw(1 / (FULL_PER_MS * stretch.load));
    while (clock.nowMs() < endMs) {
      const next = this.#nextEnd();
      if (next <= arrivalMs) this.#end(next);
      else {
        this.#passTo(arrivalMs);
        this.#arrive();
        arrivalMs += this.#draw(1 / (FULL_PER_MS * stretch.load));
      }
      if (clock.nowMs() > halfMs) this.#limits.push(this.limit);
    }
    return this.#result();
  }

  #result(): StretchResult {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return {
      goodPerSecond: this.#good / this.#stretch.seconds,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      limit: this.limit,
      meanLimit: this.#limits.reduce((sum, one) => sum + one, 0) / this.#limits.length,
      least: this.#limits.reduce((least, one) => Math.min(least, one), Infinity),
      most: this.#limits.reduce((most, one) => Math.max(most, one), 0),
    };
  }

  #passTo(ms: number): void {
    this.bench.clock.advance(Math.max(0, ms - this.bench.clock.nowMs()));
  }

  #arrive(): void {
    const isFailing = this.#random.next() < (this.#stretch.failing ?? 0);
    this.#inFront.push({ arrivedMs: this.bench.clock.nowMs(), sentMs: 0, isFailing });
    this.#send();
  }

  /** Sends as many requests as the limit permits; drops those that have waited too long. */
  #send(): void {
    const nowMs = this.bench.clock.nowMs();
    for (let request = this.#inFront[0]; request !== undefined; request = this.#inFront[0]) {
      if (nowMs - request.arrivedMs <= QUEUE_MS && !reserve(this.bench.region, 0, 0)) return;
      this.#inFront.shift();
      if (nowMs - request.arrivedMs > QUEUE_MS) continue;
      request.sentMs = nowMs;
      this.#inEndpoint.push(request);
    }
    this.#serve();
  }

  #serve(): void {
    const nowMs = this.bench.clock.nowMs();
    while (this.#inEndpoint.length > 0 && this.#served.length < this.#stretch.places) {
      const request = this.#inEndpoint.shift()!;
      this.#served.push({ endMs: nowMs + (request.isFailing ? 1 : this.#draw(this.#stretch.meanMs)), request });
    }
  }

  #nextEnd(): number {
    return this.#served.reduce((least, { endMs }) => Math.min(least, endMs), Infinity);
  }

  #end(endMs: number): void {
    this.#passTo(endMs);
    const at = this.#served.findIndex((one) => one.endMs === endMs);
    const { request } = this.#served.splice(at, 1)[0]!;
    const { region } = this.bench;
    release(region, 0, 0);
    if (!request.isFailing) {
      region.doubles[region.endpointSamples(0, 0) + latencyBucketOf(endMs - request.sentMs)]!++;
      const tookMs = endMs - request.arrivedMs;
      this.#latencies.push(tookMs);
      if (tookMs <= RESPONSE_MS) this.#good++;
    }
    this.#serve();
    this.#send();
  }

  #draw(meanMs: number): number {
    return -Math.log(1 - this.#random.next()) * meanMs;
  }
}
