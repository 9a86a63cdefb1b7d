// Changes of endpoints, sent one by one, leave a worker where a whole Snapshot would: lists, candidates of pickers, targets
// of routes, owners of slots and connection pools. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedIn, deltaOf, type EndpointDelta, identityOf, withDelta } from '../../../core/endpoint-delta.ts';
import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import { Region } from '../../../core/memory/region.ts';
import { type Random, seededRandom } from '../../../core/random.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import { RuntimeHistory } from '../../../proxy/exchange/runtime-history.ts';
import { Runtime } from '../../../proxy/exchange/runtime.ts';
import { SlotOwners } from '../../../proxy/placement/slot-owners.ts';
import { type ConnectionPool, PoolTable } from '../../../proxy/upstream/pool-table.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { policyParts } from '../../support/policies.ts';
import { forSeeds } from '../../support/seeded-property.ts';
import { endpointSnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const UPSTREAMS = 3;
/** Of each upstream: so few that most get several owners. */
const SLOTS = 8;
const ALL_SLOTS = UPSTREAMS * SLOTS;
const BATCHES = 10;

/** The endpoints of each upstream as main has them: one that stays as it is keeps its object. */
class Lists {
  readonly #random: Random;
  readonly #generations = new Map<number, number>();
  all: readonly (readonly EndpointSnapshot[])[];

  constructor(random: Random) {
    this.#random = random;
    this.all = Array.from({ length: UPSTREAMS }, (_, index) => this.#changed([], index));
  }

  /** Removes, changes, adds and moves endpoints of about half the upstreams. */
  change(): void {
    this.all = this.all.map((list, index) => (this.#isDrawn(1 / 2) ? this.#changed(list, index) : list));
  }

  #changed(before: readonly EndpointSnapshot[], index: number): readonly EndpointSnapshot[] {
    const kept = before.filter(() => this.#isDrawn(4 / 5));
    const list = kept.map((endpoint) =>
      this.#isDrawn(1 / 5) ? { ...endpoint, weight: endpoint.weight + 1 } : endpoint,
    );
    const taken = new Set(before.map(({ slot }) => slot));
    for (let slot = index * SLOTS; slot < (index + 1) * SLOTS; slot++) {
      if (taken.has(slot) || !this.#isDrawn(1 / 3)) continue;
      list.splice(Math.floor(this.#random.next() * (list.length + 1)), 0, this.#newOwner(slot));
    }
    if (list.length > 1 && this.#isDrawn(1 / 4)) list.push(list.shift()!);
    return list;
  }

  #newOwner(slot: number): EndpointSnapshot {
    const generation = (this.#generations.get(slot) ?? 0) + 1;
    this.#generations.set(slot, generation);
    return endpointSnapshot(slot, { generation, id: `10.0.${generation}.${slot}:80`, backup: this.#isDrawn(1 / 4) });
  }

  #isDrawn(probability: number): boolean {
    return this.#random.next() < probability;
  }
}

/** Two routes to each upstream, of which one replaces settings. */
const ROUTES = Array.from({ length: 2 * UPSTREAMS }, (_, at) => {
  const overrides = at % 2 === 0 ? null : { timeouts: { responseMs: 7 }, retry: {} };
  return routeSnapshot({ name: `r${at}`, action: { kind: 'upstream', upstream: at >> 1 }, overrides });
});

const MEMORY = {
  region: Region.allocate({ endpoints: ALL_SLOTS, upstreams: UPSTREAMS, workers: 1, listeners: 2 }, 0),
  worker: 0,
  random: seededRandom(1),
};

/** The parts of a worker that know endpoints. */
class WorkerParts {
  readonly runtimes: RuntimeHistory;
  /** Slots of which a part has forgotten what it knew. */
  readonly forgotten: number[] = [];
  readonly #owners = new SlotOwners(ALL_SLOTS, [{ forgetSlot: (slot) => void this.forgotten.push(slot) }]);
  readonly #retired = new Set<ConnectionPool>();
  /** Pools by the identity of their endpoint. */
  readonly #known = new Map<string, ConnectionPool>();
  readonly #pools = new PoolTable<ConnectionPool>((endpoint, upstream) => {
    const pool: ConnectionPool = {
      endpoint,
      upstream,
      dialler: {} as ConnectionPool['dialler'],
      dropIdle: () => undefined,
      retire: () => this.#retired.add(pool),
      close: () => Promise.resolve(),
    };
    return pool;
  });

  constructor(lists: Lists, membership: number) {
    const clock = new FakeClock();
    const parts = { clock, timers: clock, end: () => undefined, report: () => undefined };
    const upstreams = lists.all.map((endpoints, index) => upstreamSnapshot({ index, name: `u${index}`, endpoints }));
    const whole = snapshot({ membership, routes: ROUTES, upstreams });
    this.runtimes = new RuntimeHistory(new Runtime(whole, MEMORY, policyParts()), parts);
    this.#pools.update(upstreams);
    this.install(lists);
  }

  install({ all }: Lists): void {
    for (const endpoints of all) this.#owners.apply(endpoints);
  }

  amend(membership: number, upstreams: readonly EndpointDelta[]): void {
    for (const delta of upstreams) this.#owners.apply(changedIn(delta));
    this.#pools.amend(this.runtimes.amend({ membership, upstreams }));
  }

  /** Opens a pool for each endpoint. Pools of those that were there before must be the same, others retired. */
  assertPools(): void {
    const present = new Set<string>();
    for (const { snapshot: upstream } of this.runtimes.runtime.upstreams.values()) {
      for (const endpoint of upstream.endpoints) {
        const identity = identityOf(endpoint);
        const pool = this.#poolOf(upstream, endpoint);
        assert.equal(pool, this.#known.get(identity) ?? pool);
        this.#known.set(identity, pool);
        present.add(identity);
      }
    }
    for (const [identity, pool] of this.#known) assert.equal(this.#retired.has(pool), !present.has(identity));
  }

  #poolOf(upstream: UpstreamSnapshot, endpoint: EndpointSnapshot): ConnectionPool {
    return this.#pools.poolFor({ endpoint, upstream } as AttemptRequest);
  }
}

function assertSame(runtime: Runtime, whole: Runtime): void {
  assert.deepEqual(runtime.snapshot, whole.snapshot);
  for (const [index, { snapshot: expected, picker }] of whole.upstreams) {
    const amended = runtime.upstreams.get(index)!;
    assert.deepEqual(amended.snapshot, expected);
    for (let slot = 0; slot < ALL_SLOTS; slot++) {
      assert.deepEqual(amended.picker.endpointAt(slot), picker.endpointAt(slot));
    }
    assert.deepEqual(amended.picker.candidates, picker.candidates);
  }
  for (const route of ROUTES) assert.deepEqual(runtime.targetOf(route)?.snapshot, whole.targetOf(route)?.snapshot);
}

test('changes of endpoints leave a worker as a whole Snapshot does', () => {
  forSeeds(15, (random) => {
    const lists = new Lists(random);
    const [worker, other] = [new WorkerParts(lists, 0), new WorkerParts(lists, 0)];
    for (let membership = 1; membership <= BATCHES; membership++) {
      const before = lists.all;
      lists.change();
      const deltas = lists.all.map((after, index) => deltaOf(index, before[index]!, after));
      worker.amend(membership, structuredClone(deltas.filter((_, index) => lists.all[index] !== before[index])));
      other.install(lists);
      assertSame(worker.runtimes.runtime, new WorkerParts(lists, membership).runtimes.runtime);
      assert.deepEqual(worker.forgotten, other.forgotten);
      worker.assertPools();
    }
  });
});

test('a change is as large as what it changes, and keeps the objects of all other endpoints', () => {
  const before = Array.from({ length: 1000 }, (_, slot) => endpointSnapshot(slot));
  const [first, second, ...rest] = before;
  const after = [second!, ...rest.with(500, { ...rest[500]!, weight: 7 }), endpointSnapshot(1000)];
  const delta = deltaOf(3, before, after);
  assert.deepEqual(delta, {
    index: 3,
    pieces: [{ from: 1, count: 501 }, after[501], { from: 503, count: 497 }, after[999]],
    removed: [{ slot: first!.slot, generation: 1 }],
  });
  const received = withDelta(before, structuredClone(delta));
  assert.deepEqual(received, after);
  assert.deepEqual(
    received.filter((endpoint, at) => endpoint !== after[at]).map(({ slot }) => slot),
    changedIn(delta).map(({ slot }) => slot),
  );
});
