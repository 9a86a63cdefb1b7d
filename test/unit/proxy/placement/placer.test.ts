// Placement of something that is not HTTP: a session that needs a place at an endpoint. It is placed, queued, retried,
// hedged and cancelled without a request head. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UpstreamPicker } from '../../../../balancers/upstream-picker.ts';
import { type Failure, failureOf } from '../../../../core/failure.ts';
import { E_LIMIT, E_QUEUED, UPSTREAM } from '../../../../core/memory/layout.ts';
import { release, repairAfterCrash } from '../../../../core/memory/reservation.ts';
import { seededRandom } from '../../../../core/random.ts';
import type { UpstreamSnapshot } from '../../../../core/snapshot/upstream.ts';
import { TimerWheel, WheelTimer } from '../../../../core/timer-wheel.ts';
import { WorkerLanes } from '../../../../proxy/account/lane.ts';
import type { Place } from '../../../../proxy/placement/place.ts';
import { type Placeable, Placement, type PlacementTarget } from '../../../../proxy/placement/placeable.ts';
import { type NoPlace, Placer } from '../../../../proxy/placement/placer.ts';
import { NO_RETRY } from '../../../../proxy/placement/retries.ts';
import { openBudget } from '../../../../proxy/placement/retry-budget.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

class Session implements Placeable {
  readonly placement = new Placement();
  readonly target: PlacementTarget;
  readonly timer: WheelTimer;
  readonly isSheddable = false;
  readonly isIdempotent = false;
  readonly isHedgeable = true;
  readonly requestEndMs = 0;
  isReplayable = true;
  hasResponseBegun = false;
  lastFailure: Failure | null = null;
  /** Events of the placer, in order. */
  readonly log: string[] = [];
  readonly slots: number[] = [];

  constructor(target: PlacementTarget, fire: (session: Session) => void) {
    this.target = target;
    this.timer = new WheelTimer(() => fire(this));
  }
}

class Bench {
  readonly region;
  readonly placer: Placer<Session>;
  readonly #target: PlacementTarget;
  readonly #wheel: TimerWheel;
  #nowMs = 1000;

  constructor(parts: Partial<UpstreamSnapshot> = {}) {
    const upstream = upstreamSnapshot(parts);
    const region = regionFor(snapshot({ upstreams: [upstream] }));
    this.region = region;
    const memory = { region, worker: 0, random: seededRandom(3) };
    openBudget(region, upstream.index, upstream.retry);
    this.#wheel = new TimerWheel(10, this.#nowMs);
    this.#target = { snapshot: upstream, picker: new UpstreamPicker(upstream, memory) };
    const clock = { nowMs: () => this.#nowMs, wallMs: () => region.originWallMs + this.#nowMs };
    const context = { ...memory, clock, wheel: this.#wheel, lanes: new WorkerLanes(region, 0), workerCount: () => 1 };
    this.placer = new Placer<Session>(context, {
      placed: (session, place, isHedge) => this.#placed(session, place, isHedge),
      queued: (session) => session.log.push('queued'),
      backsOff: (session) => session.log.push('backoff'),
      unplaced: (session, reason: NoPlace) => session.log.push(reason),
    });
  }

  session(): Session {
    return new Session(this.#target, (session) => this.placer.timerFired(session));
  }

  place(): Session {
    const session = this.session();
    this.placer.place(session);
    return session;
  }

  free(slot: number): void {
    release(this.region, 0, slot);
    this.placer.placeFreed(this.#target);
    this.placer.wake();
  }

  fail(session: Session, failure: Failure): number {
    session.lastFailure = failure;
    release(this.region, 0, session.slots.at(-1)!);
    return this.placer.backoffAfter(session, failure.kind, failure.wasSent);
  }

  advance(ms: number): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) this.#wheel.advance((this.#nowMs += 10));
  }

  limit(slot: number, most: number): void {
    this.region.words[this.region.endpointWord(slot) + E_LIMIT] = most;
  }

  word(index: number): number {
    return this.region.words[this.region.upstreamWord(0) + index]!;
  }

  queuedAt(slot: number): number {
    return this.region.words[this.region.endpointWord(slot) + E_QUEUED]!;
  }

  #placed(session: Session, { slot }: Place, isHedge: boolean): void {
    session.slots.push(slot);
    session.log.push(isHedge ? `hedge ${slot}` : `placed ${slot}`);
  }
}

const ONE = { endpoints: [endpointSnapshot(0)], limits: { ...upstreamSnapshot().limits, maxConnections: 1 } };

describe('a session', () => {
  test('is placed at an endpoint and counts there', () => {
    const bench = new Bench();
    const session = bench.place();
    assert.match(session.log[0]!, /^placed \d$/);
    assert.equal(bench.region.words[bench.region.endpointWord(session.slots[0]!)], 1);
  });

  test('goes to the endpoint that its client is bound to', () => {
    for (const slot of [0, 1, 2]) {
      const bench = new Bench();
      const session = bench.session();
      session.placement.stickySlot = slot;
      bench.placer.place(session);
      assert.deepEqual(session.slots, [slot]);
    }
  });

  test('waits for the only endpoint while it is full, and is counted in its queue', () => {
    const bench = new Bench(ONE);
    bench.limit(0, 1);
    bench.place();
    const [second, third] = [bench.place(), bench.place()];
    assert.deepEqual([second.log, third.log], [['queued'], ['queued']]);
    assert.deepEqual([third.placement.upstreamQueuePosition, third.placement.endpointQueuePosition], [1, 1]);
    assert.equal(bench.queuedAt(0), 2);
    bench.free(0);
    assert.deepEqual([second.log, third.log], [['queued', 'placed 0'], ['queued']]);
    bench.placer.cancel(third);
    assert.deepEqual([bench.queuedAt(0), bench.word(UPSTREAM.queued.index)], [0, 0]);
  });

  test('waits for no endpoint in particular where any may serve it', () => {
    const bench = new Bench();
    for (const slot of [0, 1, 2]) {
      bench.limit(slot, 1);
      bench.place();
    }
    bench.place();
    assert.deepEqual(
      [0, 1, 2].map((slot) => bench.queuedAt(slot)),
      [0, 0, 0],
    );
    assert.equal(bench.word(UPSTREAM.queued.index), 1);
  });

  test('leaves the queues of a worker that dies', () => {
    const bench = new Bench(ONE);
    bench.limit(0, 1);
    bench.place();
    bench.place();
    assert.equal(bench.queuedAt(0), 1);
    repairAfterCrash(bench.region, 0);
    assert.deepEqual([bench.queuedAt(0), bench.word(UPSTREAM.queued.index)], [0, 0]);
  });

  test('ends with the queue timeout', () => {
    const bench = new Bench(ONE);
    bench.limit(0, 1);
    bench.place();
    const session = bench.place();
    bench.advance(5100);
    assert.deepEqual(session.log, ['queued', 'queue-timeout']);
  });

  test('whose connection was refused is placed elsewhere at once; one that sent bytes is not', () => {
    const bench = new Bench();
    const session = bench.place();
    const backoffMs = bench.fail(session, failureOf('connect-refused', false));
    assert.equal(backoffMs, 0);
    bench.placer.retryAfter(session, backoffMs);
    assert.equal(new Set(session.slots).size, 2);
    assert.equal(bench.fail(session, failureOf('reset', true)), NO_RETRY);
    assert.equal(session.placement.retryVerdict, 'refused-not-retryable');
  });

  test('whose bytes are no longer kept is not placed again', () => {
    const bench = new Bench();
    const session = bench.place();
    bench.fail(session, failureOf('connect-refused', false));
    session.isReplayable = false;
    bench.placer.retryAfter(session, 0);
    assert.equal(session.log.at(-1), 'not-replayable');
  });

  test('may get a second place beside the first', () => {
    const bench = new Bench();
    const session = bench.place();
    bench.placer.placeHedge(session);
    assert.match(session.log[1]!, /^hedge \d$/);
    assert.equal(new Set(session.slots).size, 2);
    assert.deepEqual([session.placement.hedges, session.placement.retries], [1, 0]);
  });
});
