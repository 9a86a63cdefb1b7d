// Waiting for a place: who waits in this worker, and who is served when a place becomes free anywhere. Thread: worker.

import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import { E_LIMIT } from '../../core/memory/layout.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Exchange } from './exchange.ts';
import type { UpstreamRuntime } from './runtime.ts';
import { hasWaiters, WaitQueue } from '../placement/wait-queue.ts';
import { wakeWorkers } from '../placement/wake.ts';

/** A queue holds no longer than this share of the response timeout: what prevents retry storms (docs/algorithms.md 4.3). */
const MOST_OF_RESPONSE_TIMEOUT = 0.4;

/** The last places of a queue are for requests that matter (docs/algorithms.md 6.2). */
const SHEDDABLE_SHARE = 0.8;
/** Waiters look again this often: a place that came free unseen, or an endpoint that is back, is found by then. */
const POLL_MS = 25;
/** While an upstream's endpoints refuse connections, one waiter at a time tries, this often. */
const PROBE_MS = 50;

export class Queues {
  readonly #context: ForwardingContext;
  readonly #place: (exchange: Exchange) => void;
  /** Of upstreams with somebody waiting in this worker. */
  readonly #queues = new Map<UpstreamRuntime, WaitQueue<Exchange>>();
  /** Upstreams whose endpoints refuse connections: when the next waiter may try, in monotonic ms. */
  readonly #held = new Map<UpstreamRuntime, number>();
  readonly #poll: WheelTimer;
  #isServing = false;

  /** @param place tries to find a place for an exchange again; it calls `leave` when it has one. */
  constructor(context: ForwardingContext, place: (exchange: Exchange) => void) {
    this.#context = context;
    this.#place = place;
    this.#poll = new WheelTimer(() => this.serveAll());
  }

  /** Lets an exchange wait. Returns false where the queue is full. */
  join(exchange: Exchange): boolean {
    const { clock, wheel } = this.#context;
    const target = exchange.target!;
    const queue = this.#queueOf(target);
    const position = queue.join(exchange, exchange.route!.priority === 'sheddable' ? SHEDDABLE_SHARE : 1);
    if (position < 0) return false;
    const nowMs = clock.nowMs();
    exchange.state = 'queued';
    exchange.upstreamQueuePosition = position;
    if (exchange.queuedMs === 0) {
      exchange.queuedMs = nowMs;
      this.#context.lanes.upstream(target.snapshot.index).add(UPSTREAM_FIELD.queued, 1);
    }
    this.#queues.set(target, queue);
    wheel.arm(exchange.timer, Math.max(1, exchange.queuedMs + queueMs(target) - nowMs), nowMs);
    if (!this.#poll.isArmed()) wheel.arm(this.#poll, POLL_MS, nowMs);
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

  /** The upstream's endpoints refuse connections: its requests wait, and one at a time tries. */
  hold(target: UpstreamRuntime): void {
    this.#held.set(target, this.#context.clock.nowMs() + PROBE_MS);
  }

  isHeld(target: UpstreamRuntime): boolean {
    return this.#held.size > 0 && this.#held.has(target);
  }

  /** A connection was made: everybody may try. */
  letGo(target: UpstreamRuntime): void {
    if (this.#held.size > 0 && this.#held.delete(target)) queueMicrotask(() => this.serveAll());
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
    const nowMs = this.#context.clock.nowMs();
    for (const [target, queue] of this.#queues) this.#serve(target, queue, nowMs);
    this.#isServing = false;
    if (this.#queues.size > 0) this.#context.wheel.arm(this.#poll, POLL_MS, nowMs);
  }

  #serve(target: UpstreamRuntime, queue: WaitQueue<Exchange>, nowMs: number): void {
    const heldUntilMs = this.#held.get(target);
    if (heldUntilMs !== undefined) {
      if (nowMs < heldUntilMs) return;
      this.#held.set(target, nowMs + PROBE_MS);
    }
    const slack = this.#slackOf(target);
    for (let first = queue.first(); first !== undefined && queue.isTurnOfFirst(slack); ) {
      this.#place(first);
      const next = queue.first();
      if (next === first || heldUntilMs !== undefined) return;
      first = next;
    }
  }

  #queueOf(target: UpstreamRuntime): WaitQueue<Exchange> {
    const { index, limits } = target.snapshot;
    const { region, worker } = this.#context;
    return (
      this.#queues.get(target) ?? new WaitQueue<Exchange>({ region, worker, upstreamIndex: index }, limits.maxQueue)
    );
  }

  /** Whether a request that has just come must stand behind others. */
  hasOthersFirst(target: UpstreamRuntime): boolean {
    const { limits, index, heartbeat } = target.snapshot;
    const isLimited = limits.maxConnections > 0 || limits.isAdaptive || heartbeat?.acceptsAgentFeedback === true;
    return isLimited && hasWaiters(this.#context.region, index);
  }

  /** Places are handed out in the order of tickets, give or take one for each worker and each place. */
  #slackOf(target: UpstreamRuntime): number {
    const { region } = this.#context;
    let slack = this.#context.runtime().snapshot.workers;
    for (const { slot } of target.snapshot.endpoints) {
      slack += Math.max(1, region.words[region.endpointWord(slot) + E_LIMIT]!);
    }
    return slack;
  }
}

function queueMs(target: UpstreamRuntime): number {
  const { queueMs: configured, responseMs } = target.snapshot.timeouts;
  const most = responseMs > 0 ? responseMs * MOST_OF_RESPONSE_TIMEOUT : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(configured > 0 ? configured : most, most, 2 ** 31));
}
