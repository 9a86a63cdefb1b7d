// Waiting for a place: who waits in this worker, and who is served when a place becomes free anywhere. Thread: worker.

import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import { ENDPOINT } from '../../core/memory/layout.ts';
import type { ForwardingContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UpstreamRuntime } from './runtime.ts';
import { hasWaiters, WaitQueue } from './wait-queue.ts';
import { wakeWorkers } from './wake.ts';

/** A queue holds no longer than this share of the response timeout: what prevents retry storms (ALGORITHMS 4.3). */
const MOST_OF_RESPONSE_TIMEOUT = 0.4;

export class Queues {
  readonly #context: ForwardingContext;
  readonly #place: (exchange: Exchange) => void;
  /** Of upstreams with somebody waiting in this worker. */
  readonly #queues = new Map<UpstreamRuntime, WaitQueue<Exchange>>();
  #isServing = false;

  /** @param place tries to find a place for an exchange again; it calls `leave` when it has one. */
  constructor(context: ForwardingContext, place: (exchange: Exchange) => void) {
    this.#context = context;
    this.#place = place;
  }

  /** Lets an exchange wait. Returns false where the queue is full. */
  join(exchange: Exchange): boolean {
    const { clock, wheel, region } = this.#context;
    const target = exchange.target!;
    const queue = this.#queueOf(target);
    const position = queue.join(exchange);
    if (position < 0) return false;
    const nowMs = clock.nowMs();
    exchange.state = 'queued';
    exchange.upstreamQueuePosition = position;
    if (exchange.queuedMs === 0) {
      exchange.queuedMs = nowMs;
      this.#context.lanes.upstream(target.snapshot.index).add(UPSTREAM_FIELD.queued, 1);
    }
    this.#queues.set(target, queue);
    wheel.arm(exchange.timer, queueMs(target), nowMs);
    // A place freed between the failed pick and the join would wake nobody: look once more where one is free.
    if (hasFreePlace(target, region.words, region.endpointWord.bind(region))) queueMicrotask(() => this.serveAll());
    return true;
  }

  /** An exchange that was served or has ended no longer waits. */
  leave(exchange: Exchange): void {
    if (exchange.state !== 'queued') return;
    const queue = this.#queueOf(exchange.target!);
    queue.leave(exchange);
    if (queue.size === 0) this.#queues.delete(exchange.target!);
    this.#context.wheel.cancel(exchange.timer);
    exchange.state = 'routing';
  }

  /** A place at one of the upstream's endpoints became free in this worker. */
  placeFreed(target: UpstreamRuntime): void {
    const { region } = this.#context;
    if (!hasWaiters(region, target.snapshot.index)) return;
    wakeWorkers(region, region.capacity.workers);
  }

  /** Serves whom it can, longest waiting first. */
  serveAll(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    for (const queue of this.#queues.values()) {
      for (let first = queue.first(); first !== undefined; ) {
        this.#place(first);
        const next = queue.first();
        if (next === first) break;
        first = next;
      }
    }
    this.#isServing = false;
  }

  #queueOf(target: UpstreamRuntime): WaitQueue<Exchange> {
    const { index, limits } = target.snapshot;
    return this.#queues.get(target) ?? new WaitQueue<Exchange>(this.#context.region, index, limits.maxQueue);
  }
}

function queueMs(target: UpstreamRuntime): number {
  const { queueMs: configured, responseMs } = target.snapshot.timeouts;
  const most = responseMs > 0 ? responseMs * MOST_OF_RESPONSE_TIMEOUT : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(configured > 0 ? configured : most, most, 2 ** 31));
}

function hasFreePlace(target: UpstreamRuntime, words: Int32Array, endpointWord: (slot: number) => number): boolean {
  return target.snapshot.endpoints.some(({ slot }) => {
    const word = endpointWord(slot);
    return words[word + ENDPOINT.inflight.index]! < words[word + ENDPOINT.limit.index]!;
  });
}
