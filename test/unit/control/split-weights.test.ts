// Weights of splits in Snapshots, as operators set them. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SplitWeightChange } from '../../../admin/admin-context.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import { SplitWeights } from '../../../control/split-weights.ts';
import type { SplitData } from '../../../proxy/policies/split.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';
import { policySnapshot, routeSnapshot, snapshot } from '../../support/snapshots.ts';

function siteWith(weights: readonly number[]): Snapshot {
  const data: SplitData = {
    route: 'shop',
    split: { upstreams: ['a', 'b'], weights, key: null, cookie: '', override: null },
  };
  const split = policySnapshot('split', data, { needs: ['choose-upstream'] });
  return snapshot({ routes: [routeSnapshot({ name: 'shop', policies: [split] }), routeSnapshot({ name: 'blog' })] });
}

function begin(weights: readonly number[] = [95, 5]) {
  const log: LogLine[] = [];
  const changes: SplitWeightChange[] = [];
  const world = { site: siteWith(weights), refusal: '', published: 0 };
  const splits = new SplitWeights({
    clock: new FakeClock(0, 1000),
    log: recordingLog(log),
    configured: () => world.site,
    publish: async () => {
      await Promise.resolve();
      if (world.refusal !== '') throw new Error(world.refusal);
      world.published++;
    },
    onChange: (change) => void changes.push(change),
  });
  const weightsNow = async (): Promise<readonly number[]> => {
    const { routes } = await splits.prepare(world.site);
    return (routes[0]!.policies[0]!.data as SplitData).split.weights;
  };
  return { splits, log, changes, world, weightsNow };
}

const B = { route: 'shop', upstream: 'b' } as const;

describe('weights of splits', () => {
  test('are those of the configuration until one is set, and after it is taken back', async () => {
    const { splits, world, weightsNow } = begin();
    assert.equal(await splits.prepare(world.site), world.site);
    await splits.set({ ...B, weight: 20 }, 'a test');
    assert.deepEqual(await weightsNow(), [95, 20]);
    assert.deepEqual(splits.list(), [
      {
        route: 'shop',
        upstreams: [
          { name: 'a', weight: 95, configuredWeight: 95 },
          { name: 'b', weight: 20, configuredWeight: 5 },
        ],
      },
    ]);
    await splits.set({ ...B, weight: null }, 'a test');
    assert.equal(await splits.prepare(world.site), world.site);
  });

  test('are published, logged and reported once a change', async () => {
    const { splits, world, log, changes } = begin();
    await splits.set({ ...B, weight: 20 }, 'admin API');
    await splits.set({ ...B, weight: 20 }, 'admin API');
    assert.equal(world.published, 1);
    assert.deepEqual(
      log.map(({ text }) => text),
      ['upstream b has weight 20 instead of 5 in the split of route shop: set to 20 by admin API'],
    );
    assert.deepEqual(changes, [{ at: 1000, ...B, from: 5, to: 20, cause: 'set to 20 by admin API' }]);
  });

  test('may not all be 0, and change nothing where they cannot be published', async () => {
    const { splits, world, weightsNow } = begin();
    await splits.set({ ...B, upstream: 'a', weight: 0 }, 'a test');
    await assert.rejects(splits.set({ ...B, weight: 0 }, 'a test'), /at least one upstream needs a share/);
    world.refusal = 'no worker';
    await assert.rejects(splits.set({ ...B, weight: 9 }, 'a test'), /no worker/);
    await assert.rejects(splits.set({ ...B, upstream: 'a', weight: null }, 'a test'), /no worker/);
    assert.deepEqual(await weightsNow(), [0, 5]);
  });

  test('end when the configured weight changes, and never leave a split without a share', async () => {
    const { splits, world, weightsNow, changes } = begin();
    await splits.set({ ...B, weight: 0 }, 'a test');
    world.site = siteWith([0, 5]);
    assert.deepEqual(await weightsNow(), [0, 5]);
    world.site = siteWith([95, 10]);
    assert.deepEqual(await weightsNow(), [95, 10]);
    splits.apply();
    assert.deepEqual(splits.save(), []);
    assert.equal(changes.at(-1)!.cause, 'the configuration has another weight now');
  });

  test('are restored from what was saved, while the configured weight is the same', async () => {
    const before = begin();
    await before.splits.set({ ...B, weight: 20 }, 'a test');
    const after = begin();
    after.splits.restore(before.splits.save());
    assert.deepEqual(await after.weightsNow(), [95, 20]);
    const other = begin([95, 6]);
    other.splits.restore(before.splits.save());
    assert.deepEqual(await other.weightsNow(), [95, 6]);
  });
});
