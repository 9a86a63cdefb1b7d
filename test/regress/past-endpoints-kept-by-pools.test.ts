// Endpoints that change all the time leave nothing behind: no pool, Runtime or transport keeps an earlier list of endpoints
// alive. Each pool once kept the whole list in which its endpoint was new: with n endpoints, up to n lists of n. Thread: main.

import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { changedIn, deltaOf, type EndpointDelta, withDelta } from '../../core/endpoint-delta.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { seededRandom } from '../../core/random.ts';
import { RuntimeHistory } from '../../proxy/exchange/runtime-history.ts';
import { Runtime } from '../../proxy/exchange/runtime.ts';
import { UndiciTransport } from '../../proxy/upstream/undici/undici-transport.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { fastTransport } from '../support/http1-parts.ts';
import { policyParts } from '../support/policies.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from '../support/snapshots.ts';
import { type TransportUnderTest, withBench } from '../support/transport-bench.ts';

const SLOTS = 8;
/** Each endpoint is replaced this many times. */
const ROUNDS = 6;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Lists of endpoints, to count those that are still alive. */
class Lists {
  readonly #lists: WeakRef<readonly EndpointSnapshot[]>[] = [];

  note({ endpoints }: UpstreamSnapshot): void {
    this.#lists.push(new WeakRef(endpoints));
  }

  /** The present list is alive, and perhaps the one before, in a register of the caller. */
  async assertCollected(): Promise<void> {
    await nextTurn();
    collect();
    const alive = this.#lists.filter((list) => list.deref() !== undefined).length;
    assert.ok(alive <= 2, `${alive} of ${this.#lists.length} lists are alive`);
  }
}

/** Puts another endpoint into a slot: the change, as a message. */
function replaceOne({ index, endpoints }: UpstreamSnapshot, slot: number): EndpointDelta {
  const before = endpoints[slot]!;
  const next = { ...before, generation: before.generation + 1, id: `${before.id}'`, name: `${before.name}'` };
  return structuredClone(deltaOf(index, endpoints, endpoints.with(slot, next)));
}

const SUBJECTS: readonly TransportUnderTest[] = [
  { name: 'Http1Transport', make: (parts) => fastTransport(parts) },
  { name: 'UndiciTransport', make: (parts) => new UndiciTransport(parts) },
];

describe('after many changes, each with a request to the new endpoint', () => {
  for (const subject of SUBJECTS) {
    test(`${subject.name} keeps one list of endpoints`, () =>
      withBench(subject, { upstream: { endpoints: endpoints(SLOTS) } }, async (bench) => {
        const lists = new Lists();
        let upstream = { ...bench.upstream, endpoints: endpoints(SLOTS, bench.origin.port) };
        bench.transport.amend([{ upstream, changed: upstream.endpoints, removed: bench.upstream.endpoints }]);
        for (let change = 0; change < SLOTS * ROUNDS; change++) {
          const delta = replaceOne(upstream, change % SLOTS);
          upstream = { ...upstream, endpoints: withDelta(upstream.endpoints, delta) };
          bench.transport.amend([{ upstream, changed: changedIn(delta), removed: delta.removed }]);
          lists.note(upstream);
          const { outcome } = await bench.send({ upstream, endpoint: upstream.endpoints[change % SLOTS]! }).done;
          assert.equal(outcome, 'ok');
        }
        await lists.assertCollected();
      }));
  }

  test('a worker keeps one list, and the endpoint objects that have not changed', async () => {
    const lists = new Lists();
    const first = upstreamSnapshot({ endpoints: endpoints(SLOTS) });
    const made = snapshot({ upstreams: [first] });
    const memory = { region: regionFor(made), worker: 0, random: seededRandom(1) };
    const clock = new FakeClock();
    const parts = { clock, timers: clock, end: () => undefined, report: () => undefined };
    const runtimes = new RuntimeHistory(new Runtime(made, memory, policyParts()), parts);
    for (let change = 0; change < SLOTS * ROUNDS; change++) {
      const [before] = runtimes.runtime.snapshot.upstreams;
      const upstreams = [replaceOne(before!, change % SLOTS)];
      const [amended] = runtimes.amend({ membership: change + 1, upstreams });
      lists.note(amended!.upstream);
      const kept = amended!.upstream.endpoints.filter((endpoint, at) => endpoint === before!.endpoints[at]);
      assert.equal(kept.length, SLOTS - 1);
    }
    await lists.assertCollected();
    assert.equal(runtimes.runtime.snapshot.membership, SLOTS * ROUNDS);
  });
});

function endpoints(count: number, port?: number): readonly EndpointSnapshot[] {
  return Array.from({ length: count }, (_, slot) => endpointSnapshot(slot, port === undefined ? {} : { port }));
}
