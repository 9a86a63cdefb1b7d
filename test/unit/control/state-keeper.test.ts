// The state file and endpoints of sources that report after the start. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { SavedEndpoint, SavedState } from '../../../config/files/saved-state.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import { StateKeeper } from '../../../control/state-keeper.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/loggers.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const MAX_AGE_MS = 60_000;
const DRAINED: SavedEndpoint = {
  upstream: 'api',
  endpoint: '127.0.0.1:3001',
  admin: 'drain',
  weight: null,
  check: 'down',
  ejection: null,
};
const READY: SavedEndpoint = { ...DRAINED, endpoint: '127.0.0.1:3002', admin: 'ready' };

function begin(t: TestContext, saved: readonly SavedEndpoint[], hasSource = true) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-state-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'state.json');
  writeFileSync(file, JSON.stringify({ version: 1, savedAt: 0, endpoints: saved }));
  const clock = new FakeClock(0, 1_000);
  const restored: (readonly [endpoint: string, isFresh: boolean])[] = [];
  const nothing = { subscribe: () => () => undefined, save: () => [], restore: () => undefined };
  const keeper = new StateKeeper({
    health: {
      events: { subscribe: () => () => undefined },
      save: () => ({ version: 1, savedAt: clock.wallMs(), endpoints: [] }),
      restore: (endpoints: readonly SavedEndpoint[], isFresh: boolean) => {
        for (const { endpoint } of endpoints) restored.push([endpoint, isFresh]);
        return endpoints.length;
      },
    },
    maintenance: nothing,
    splits: nothing,
    added: nothing,
    clock,
    timers: clock,
    log: recordingLog([]),
  } as never);
  t.after(() => keeper.handOver());
  const withEndpoints = (...endpoints: EndpointSnapshot[]) =>
    snapshot({
      upstreams: [upstreamSnapshot({ endpoints, discovery: hasSource ? { sources: [], guard: null } : null })],
      healthState: { file, maxAgeMs: MAX_AGE_MS },
    });
  const read = () => (JSON.parse(readFileSync(file, 'utf8')) as SavedState).endpoints;
  return { keeper, clock, restored, withEndpoints, read, file };
}

/** A change of the upstream's endpoints. */
const CHANGE = { membership: 1, upstreams: [{ index: 0, endpoints: [] }] };

test('a state file that cannot be read is kept, and not replaced by the next write', async (t) => {
  const { keeper, withEndpoints, file } = begin(t, []);
  writeFileSync(file, '{"version":2,"endpoints":');
  const first = withEndpoints(endpointSnapshot(0));
  await keeper.prepare(first);
  keeper.apply(first);
  assert.equal(readFileSync(`${file}.invalid`, 'utf8'), '{"version":2,"endpoints":');
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).version, 1);
});

describe('saved state of an endpoint that its source reports after the start', () => {
  test('is restored then, before workers know the endpoint, and once', async (t) => {
    const { keeper, restored, withEndpoints } = begin(t, [DRAINED]);
    const first = withEndpoints(endpointSnapshot(0));
    await keeper.prepare(first);
    keeper.apply(first);
    assert.deepEqual(restored, []);
    const next = withEndpoints(endpointSnapshot(0), endpointSnapshot(1));
    keeper.amend(next, CHANGE);
    keeper.amend(next, CHANGE);
    assert.deepEqual(restored, [['127.0.0.1:3001', true]]);
  });

  test('is restored without findings when it has become old', async (t) => {
    const { keeper, clock, restored, withEndpoints } = begin(t, [DRAINED]);
    const first = withEndpoints();
    await keeper.prepare(first);
    keeper.apply(first);
    clock.advance(MAX_AGE_MS);
    keeper.amend(withEndpoints(endpointSnapshot(1)), CHANGE);
    assert.deepEqual(restored, [['127.0.0.1:3001', false]]);
  });

  test('stays in the file meanwhile, as far as an operator has set it', async (t) => {
    const { keeper, withEndpoints, read } = begin(t, [DRAINED, READY]);
    const first = withEndpoints();
    await keeper.prepare(first);
    keeper.apply(first);
    assert.deepEqual(read(), [{ ...DRAINED, check: 'unknown' }]);
  });

  test('is forgotten where the upstream has no source', async (t) => {
    const { keeper, restored, withEndpoints, read } = begin(t, [DRAINED], false);
    const first = withEndpoints();
    await keeper.prepare(first);
    keeper.apply(first);
    assert.deepEqual(read(), []);
    keeper.amend(withEndpoints(endpointSnapshot(1)), CHANGE);
    assert.deepEqual(restored, []);
  });
});
