// Lanes written by real worker threads at once and read by main: nothing is lost, nothing steps back. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LaneSums } from '../../../../admin/metrics/lane-sums.ts';
import { Region } from '../../../../core/memory/region.ts';
import type { CountingStart } from './counting-thread.ts';

const EXCHANGES = 50_000;

async function runWorker(region: Region, worker: number): Promise<void> {
  const workerData: CountingStart = { worker, region: region.buffer, exchanges: EXCHANGES };
  const thread = new Worker(new URL('./counting-thread.ts', import.meta.url), { workerData });
  const [error] = (await once(thread, 'error')) as [Error];
  assert.match(error.message, /ended on request/);
}

describe('lanes', () => {
  test('of workers that count at once and die add up exactly, over restarts too', async () => {
    const region = Region.allocate({ endpoints: 2, upstreams: 1, workers: 3, listeners: 1 }, 0);
    const sums = new LaneSums(region);
    await Promise.all([0, 1, 2].map((worker) => runWorker(region, worker)));
    await runWorker(region, 1);
    assert.equal(sums.upstream(0, 'exchanges'), 4 * EXCHANGES);
    assert.equal(sums.upstream(0, 'responses2xx'), 4 * EXCHANGES);
    assert.equal(sums.endpoint(0, 'attempts'), 4 * EXCHANGES);
    assert.equal(sums.endpoint(0, 'latencySumMs'), 3 * 4 * EXCHANGES);
    assert.equal(
      sums.endpointLatencies(0).reduce((sum, count) => sum + count),
      4 * EXCHANGES,
    );
    assert.equal(
      sums.upstreamLatencies(0).reduce((sum, count) => sum + count),
      4 * EXCHANGES,
    );
    assert.equal(sums.listener(0, 'connectionsOpen'), 3, 'what worker 1 had open when it died is closed');
  });
});
