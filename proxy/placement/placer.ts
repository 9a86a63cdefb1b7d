// Places items at endpoints: picks and reserves, queues where every endpoint is busy, and retries after a failure.
// Works on anything that is Placeable. Thread: worker.

import { PICK_FAILURE } from '../../core/balancer.ts';
import { Hedging } from './hedging.ts';
import { findPlace, type Place, reserveForItsOwn } from './place.ts';
import { NO_SLOT, type Placeable, type PlacementTarget } from './placeable.ts';
import type { PlacementContext } from './placement-context.ts';
import { Queues } from './queues.ts';
import { mayRepeat, Retries } from './retries.ts';
import type { RetryFacts } from './retry-verdict.ts';

/** Reasons for which an item gets no place. */
export type NoPlace = 'no-endpoint' | 'queue-full' | 'queue-timeout' | 'not-replayable';

/** Results of placement, reported to the owner of the items. */
export interface PlacerEvents<Item> {
  /** A place is reserved: start an attempt there, which releases it. @param isHedge whether another attempt runs */
  placed(item: Item, place: Place, isHedge: boolean): void;
  /** The item waits in the queue of its upstream. */
  queued(item: Item): void;
  /** The item waits before its next attempt. */
  backsOff(item: Item): void;
  /** No place is to be had. The item is no longer queued. */
  unplaced(item: Item, reason: NoPlace): void;
}

export class Placer<Item extends Placeable> {
  readonly hedging: Hedging;
  readonly retries: Retries;
  readonly #context: PlacementContext;
  readonly #events: PlacerEvents<Item>;
  readonly #queues: Queues<Item>;

  constructor(context: PlacementContext, events: PlacerEvents<Item>) {
    this.#context = context;
    this.#events = events;
    this.hedging = new Hedging(context);
    this.retries = new Retries(context);
    this.#queues = new Queues<Item>(context, (item) => this.place(item));
  }

  /** Finds a place for an item, or queues it. Reports through the events, possibly before it returns. */
  place(item: Item): void {
    const target = item.target!;
    const { placement } = item;
    if (!placement.isQueued && this.#queues.mustQueue(target)) {
      placement.startOver();
      return this.#queue(item);
    }
    placement.nowMs = this.#context.clock.nowMs();
    placement.mayRetry = mayRepeat(item);
    placement.mayUseLastResort = placement.attempts > 0 || placement.mayRetry;
    const { region, worker } = this.#context;
    const place = this.#stickyPlace(item) ?? findPlace(placement, target, region, worker);
    if (place.slot >= 0) return this.#placed(item, place, false);
    if (place.slot === PICK_FAILURE.allBusy) this.#queue(item);
    else if (place.slot === PICK_FAILURE.allTried) this.#allTried(item);
    else if (target.snapshot.whenAllDown === 'wait') this.#queue(item);
    else this.#unplaced(item, 'no-endpoint');
  }

  /**
   * Decides whether another attempt follows a failed one. Returns the backoff in ms for `retryAfter`, or NO_RETRY.
   * @param kind of the failure; 'status' for a retryable status
   */
  backoffAfter(item: Item, kind: RetryFacts['kind'], wasSent: boolean): number {
    return this.retries.backoffAfter(item, kind, wasSent);
  }

  /** The latest attempt, at the endpoint in `slot`, failed for a reason that no repetition removes. */
  markUnfit(item: Item, slot: number): void {
    item.placement.markUnfit(slot);
  }

  /** Places the item again, after a backoff where `backoffMs` is above 0. */
  retryAfter(item: Item, backoffMs: number): void {
    if (backoffMs <= 0) return this.#retry(item);
    this.#queues.leave(item);
    this.#context.wheel.arm(item.timer, backoffMs, this.#context.clock.nowMs());
    this.#events.backsOff(item);
  }

  /** Places a hedge beside the running attempt, where an endpoint has room and the budget allows. */
  placeHedge(item: Item): void {
    const place = this.hedging.findPlace(item);
    if (place === null) return;
    this.hedging.begun(item);
    this.#placed(item, place, true);
  }

  /** The timer of an item that waits has fired: its time in the queue is over, or its backoff. */
  timerFired(item: Item): void {
    if (item.placement.isQueued) this.#unplaced(item, 'queue-timeout');
    else this.#retry(item);
  }

  /** Takes an item that is cancelled out of its queue, if it is in one. */
  cancel(item: Item): void {
    this.#queues.leave(item);
  }

  /** A connection to one of the upstream's endpoints was made. */
  connected(target: PlacementTarget): void {
    this.#queues.release(target);
  }

  /** A place at one of the upstream's endpoints became free in this worker. */
  placeFreed(target: PlacementTarget): void {
    this.#queues.placeFreed(target);
  }

  /** Another worker has freed a place. */
  wake(): void {
    this.#queues.serveAll();
  }

  #placed(item: Item, place: Place, isHedge: boolean): void {
    const { placement } = item;
    this.#queues.leave(item);
    if (placement.placedMs === 0) placement.placedMs = this.#context.clock.nowMs();
    placement.markTried(place.slot);
    placement.attempts++;
    this.#events.placed(item, place, isHedge);
  }

  #queue(item: Item): void {
    if (item.placement.isQueued) return;
    if (this.#queues.join(item)) this.#events.queued(item);
    else this.#unplaced(item, 'queue-full');
  }

  #unplaced(item: Item, reason: NoPlace): void {
    this.#queues.leave(item);
    this.#events.unplaced(item, reason);
  }

  /** The place at the endpoint that the client is bound to. Retries go elsewhere. */
  #stickyPlace({ placement, target }: Item): Place | null {
    if (placement.stickySlot === NO_SLOT || placement.attempts > 0) return null;
    // The endpoint may have been removed while the item waited, and its slot may have another owner.
    if (target!.picker.endpointAt(placement.stickySlot) === undefined) return null;
    return reserveForItsOwn(this.#context.region, this.#context.worker, placement.stickySlot);
  }

  /** Every usable endpoint has failed this item. Where nothing was sent, all of them may be tried once more. */
  #allTried(item: Item): void {
    const { lastFailure: failure, placement } = item;
    const isUnsent = failure !== null && (!failure.wasSent || failure.kind === 'stale-connection');
    if (!isUnsent || placement.triedCount === 0) return this.#unplaced(item, 'no-endpoint');
    if (placement.triedCount === placement.unfitCount) return this.#allUnfit(item);
    // GOAWAY ends a connection, not its endpoint: a new one is tried at once, and only then does the upstream wait.
    const isFirstGoaway = failure.kind === 'refused-stream' && !placement.mustUseFresh;
    placement.startOver();
    placement.mustUseFresh = true;
    // It has waited until an endpoint came up: nothing says that this one refuses connections still.
    if (placement.isQueued) return this.place(item);
    if (isFirstGoaway) return this.retryAfter(item, 0);
    if (item.target!.snapshot.whenAllDown === 'wait') {
      this.#queues.hold(item.target!);
      return this.#queue(item);
    }
    this.retryAfter(item, failure.kind === 'stale-connection' ? 0 : this.retries.jitterMs(item));
  }

  /** Every usable endpoint failed for a lasting reason. Others may become usable while the item waits. */
  #allUnfit(item: Item): void {
    const { placement, target } = item;
    const { endpoints, whenAllDown } = target!.snapshot;
    const hasOthers = endpoints.length > placement.unfitCount;
    if (hasOthers && whenAllDown === 'wait') return this.#queue(item);
    if (!this.retries.mayTryUnfit(item)) return this.#unplaced(item, 'no-endpoint');
    placement.forgetUnfit();
    this.retryAfter(item, this.retries.jitterMs(item));
  }

  /** The body received since the last attempt may have outgrown the replay buffer: half of it must never be sent. */
  #retry(item: Item): void {
    this.retries.resume(item);
    if (item.isReplayable) this.place(item);
    else this.#unplaced(item, 'not-replayable');
  }
}
