// Changes of endpoints leave health where whole Snapshots would: over random sequences, with and without adaptive limits, both
// publish the same memory and show the same views. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latencyBucketOf } from '../../../core/memory/lane-fields.ts';
import { E_INFLIGHT } from '../../../core/memory/layout.ts';
import type { Random } from '../../../core/random.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import { HealthBench } from '../../support/health-bench.ts';
import { forSeeds } from '../../support/seeded-property.ts';
import { endpointSnapshot, snapshot } from '../../support/snapshots.ts';

const SLOTS = 8;
const CHANGES = 12;

/** Removes, changes and adds endpoints; those that stay as they are keep their objects. */
function changed(before: readonly EndpointSnapshot[], membership: number, random: Random): readonly EndpointSnapshot[] {
  const kept = before.filter(() => random.next() < 3 / 4);
  const list = kept.map((one) => (random.next() < 1 / 4 ? { ...one, weight: one.weight + 1 } : one));
  for (let slot = 0; slot < SLOTS; slot++) {
    const isFree = list.every((one) => one.slot !== slot);
    if (isFree && random.next() < 1 / 2) list.push(endpointSnapshot(slot, { generation: membership + 1 }));
  }
  return list;
}

function begin(isAdaptive: boolean): HealthBench {
  const bench = new HealthBench({ heartbeat: null, slowStartMs: 500 });
  bench.apply({ limits: { maxConnections: 16, maxQueue: 0, maxIdle: 64, isAdaptive } });
  return bench;
}

/** Good answers of all endpoints, after which adaptive limits move. */
function serve({ region, upstream, clock }: HealthBench): void {
  for (const { slot } of upstream.endpoints) {
    region.doubles[region.endpointSamples(0, slot) + latencyBucketOf(5 + slot)]! += 60;
    region.words[region.endpointWord(slot) + E_INFLIGHT] = 16;
  }
  clock.advance(300);
}

function stateOf({ region, upstream, health }: HealthBench): object {
  const words = upstream.endpoints.map(({ slot }) =>
    region.words.slice(region.endpointWord(slot), region.endpointWord(slot + 1)),
  );
  return { words, views: health.endpoints() };
}

for (const isAdaptive of [false, true]) {
  test(`health after changes equals health after whole Snapshots${isAdaptive ? ', with adaptive limits' : ''}`, () => {
    forSeeds(20, (random) => {
      const [amended, applied] = [begin(isAdaptive), begin(isAdaptive)];
      for (let membership = 1; membership <= CHANGES; membership++) {
        const endpoints = changed(amended.upstream.endpoints, membership, random);
        applied.apply({ endpoints });
        amended.upstream = { ...amended.upstream, endpoints };
        const change = { membership, upstreams: [{ index: amended.upstream.index, endpoints }] };
        amended.health.amend(snapshot({ membership, upstreams: [amended.upstream] }), change);
        for (const bench of [amended, applied]) serve(bench);
        assert.deepEqual(stateOf(amended), stateOf(applied));
      }
      for (const { health } of [amended, applied]) health.stop();
    });
  });
}
