// Queues of this worker: requests that wait for a place, served when one becomes free in any worker. Thread: worker.

import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import { E_LIMIT } from '../../core/memory/layout.ts';
import { WheelTimer } from '../../core/timer-wheel.ts';
import { NO_SLOT, type Placeable, type PlacementTarget } from './placeable.ts';
import type { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import type { PlacementContext } from './placement-context.ts';
import { servesItsOwn } from './place.ts';
import { hasWaiters, joinEndpointQueue, leaveEndpointQueue, WaitQueue } from './wait-queue.ts';
import { wakeWorkers } from './wake.ts';

/** The queue timeout is at most this share of the response timeout, which prevents retry storms (docs/algorithms.md 4.3). */
const MAX_SHARE_OF_RESPONSE_TIMEOUT = 0.4;

/** Share of a queue that sheddable requests may fill (docs/algorithms.md 6.2). */
const SHEDDABLE_SHARE = 0.8;
/** The queues are also served this often, for endpoints that recovered and for missed wakes. */
const POLL_MS = 25;
/** While an upstream's endpoints refuse connections, one queued request at a time tries, this often. */
const PROBE_MS = 50;

export class Queues<Item extends Placeable> {
  readonly #context: PlacementContext;
  readonly #place: (item: Item) => void;
  /** Only upstreams with a request queued in this worker; by picker, which all routes to an upstream share. */
  readonly #queues = new Map<UpstreamPicker, WaitQueue<Item>>();
  /** Upstreams whose endpoints refuse connections: when the next queued request may try, in monotonic ms. */
  readonly #held = new Map<UpstreamPicker, number>();
  readonly #poll: WheelTimer;
  #isServing = false;

  /** @param place tries to place an item again; it calls `leave` once the item has a place. */
  constructor(context: PlacementContext, place: (item: Item) => void) {
    this.#context = context;
    this.#place = place;
    this.#poll = new WheelTimer(() => this.serveAll());
  }

  /** Queues an item. Returns false where the queue is full. */
  join(item: Item): boolean {
    const { clock, wheel, lanes } = this.#context;
    const { placement } = item;
    const target = item.target!;
    const queue = this.#queueOf(target);
    const position = queue.join(item, item.isSheddable ? SHEDDABLE_SHARE : 1);
    if (position < 0) return false;
    const nowMs = clock.nowMs();
    placement.isQueued = true;
    placement.upstreamQueuePosition = position;
    this.#joinEndpointQueue(item);
    if (placement.queuedMs === 0) {
      placement.queuedMs = nowMs;
      lanes.upstream(target.snapshot.index).add(UPSTREAM_FIELD.queued, 1);
    }
    this.#queues.set(target.picker, queue);
    wheel.arm(item.timer, Math.max(1, placement.queuedMs + queueTimeoutMs(target) - nowMs), nowMs);
    if (!this.#poll.isArmed()) wheel.arm(this.#poll, POLL_MS, nowMs);
    return true;
  }

  /** Takes an item out of its queue: it has a place, timed out, or was cancelled. Does nothing where it isn't queued. */
  leave(item: Item): void {
    const { placement } = item;
    if (!placement.isQueued) return;
    placement.isQueued = false;
    const target = item.target!;
    const queue = this.#queueOf(target);
    queue.leave(item);
    if (queue.size === 0) this.#queues.delete(target.picker);
    const { region, worker, wheel } = this.#context;
    if (placement.queuedSlot !== NO_SLOT) leaveEndpointQueue(region, worker, placement.queuedSlot);
    placement.queuedSlot = NO_SLOT;
    wheel.cancel(item.timer);
  }

  /** Holds an upstream whose endpoints refuse connections: its requests queue, and one at a time tries. */
  hold(target: PlacementTarget): void {
    this.#held.set(target.picker, this.#context.clock.nowMs() + PROBE_MS);
  }

  /** Lifts the hold: a connection was made. */
  release(target: PlacementTarget): void {
    if (this.#held.size > 0 && this.#held.delete(target.picker)) queueMicrotask(() => this.serveAll());
  }

  /** Whether a new request must queue without a try: the upstream is held, or others were first. */
  mustQueue(target: PlacementTarget): boolean {
    return (this.#held.size > 0 && this.#held.has(target.picker)) || this.#hasOthersFirst(target);
  }

  /** Wakes all workers after a place at one of the upstream's endpoints became free in this one. */
  placeFreed(target: PlacementTarget): void {
    const { region } = this.#context;
    if (!hasWaiters(region, target.snapshot.index)) return;
    wakeWorkers(region, region.capacity.workers);
  }

  /** Places as many queued requests as possible, oldest first. */
  serveAll(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    const nowMs = this.#context.clock.nowMs();
    for (const [picker, queue] of this.#queues) this.#serve(picker, queue, nowMs);
    this.#isServing = false;
    if (this.#queues.size > 0) this.#context.wheel.arm(this.#poll, POLL_MS, nowMs);
  }

  #serve(picker: UpstreamPicker, queue: WaitQueue<Item>, nowMs: number): void {
    const heldUntilMs = this.#held.get(picker);
    if (heldUntilMs !== undefined) {
      if (nowMs < heldUntilMs) return;
      this.#held.set(picker, nowMs + PROBE_MS);
    }
    let first = queue.first();
    if (first === undefined) return;
    const slack = this.#slackOf(first.target!);
    while (first !== undefined && queue.isTurnOfFirst(slack)) {
      this.#place(first);
      const next = queue.first();
      if (next === first || heldUntilMs !== undefined) return;
      first = next;
    }
  }

  /**
   * Counts an item at the endpoint that alone can serve it: the one that its client is bound to, or the only usable
   * endpoint of the upstream.
   */
  #joinEndpointQueue({ placement, target }: Item): void {
    const { region, worker } = this.#context;
    const { stickySlot } = placement;
    const isSticky = stickySlot !== NO_SLOT && placement.attempts === 0;
    const isMember = isSticky && target!.picker.endpointAt(stickySlot) !== undefined;
    const isBound = isMember && servesItsOwn(region, stickySlot);
    placement.queuedSlot = isBound ? stickySlot : target!.picker.onlyUsableSlot;
    if (placement.queuedSlot === NO_SLOT) return;
    placement.endpointQueuePosition = joinEndpointQueue(region, worker, placement.queuedSlot);
  }

  #queueOf(target: PlacementTarget): WaitQueue<Item> {
    const { index, limits } = target.snapshot;
    const { region, worker } = this.#context;
    return (
      this.#queues.get(target.picker) ?? new WaitQueue<Item>({ region, worker, upstreamIndex: index }, limits.maxQueue)
    );
  }

  #hasOthersFirst(target: PlacementTarget): boolean {
    const { limits, index, heartbeat } = target.snapshot;
    const isLimited = limits.maxConnections > 0 || limits.isAdaptive || heartbeat?.acceptsAgentFeedback === true;
    return isLimited && hasWaiters(this.#context.region, index);
  }

  /** Tickets that may be jumped: one for each worker and each place. */
  #slackOf(target: PlacementTarget): number {
    const { region, workerCount } = this.#context;
    let slack = workerCount();
    for (const { slot } of target.snapshot.endpoints) {
      slack += Math.max(1, region.words[region.endpointWord(slot) + E_LIMIT]!);
    }
    return slack;
  }
}

function queueTimeoutMs(target: PlacementTarget): number {
  const { queueMs: configured, responseMs } = target.snapshot.timeouts;
  const most = responseMs > 0 ? responseMs * MAX_SHARE_OF_RESPONSE_TIMEOUT : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(configured > 0 ? configured : most, most, 2 ** 31));
}
