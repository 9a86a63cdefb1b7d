// The words that operators read. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHECK_UNKNOWN } from '../../../../health/state/check-axis.ts';
import type { StateEdge } from '../../../../health/state/endpoint-state.ts';
import { durationWords, edgeLine, heartbeatWords, streakWords } from '../../../../health/record/health-words.ts';
import { HEARTBEAT } from '../../../support/health-bench.ts';

test('durations read as people say them', () => {
  assert.deepEqual([0, 20.4, 999, 1_000, 10_340, 60_000, 300_000, 330_000, 9_000_000, 864_000_000].map(durationWords), [
    '0 ms',
    '20 ms',
    '999 ms',
    '1 s',
    '10.3 s',
    '60 s',
    '5 min',
    '5.5 min',
    '2.5 h',
    '10 days',
  ]);
});

test('a heartbeat is described by its request and its result', () => {
  const http = { kind: 'fail', cause: 'got 503' } as const;
  const refused = { kind: 'fail', cause: 'connection refused' } as const;
  assert.equal(heartbeatWords(HEARTBEAT, http), 'heartbeat GET /healthz got 503');
  assert.equal(heartbeatWords(HEARTBEAT, refused), 'heartbeat GET /healthz: connection refused');
  assert.equal(heartbeatWords({ ...HEARTBEAT, kind: 'tcp' }, refused), 'TCP heartbeat: connection refused');
});

test('a streak is described by its progress', () => {
  const thresholds = { rise: 2, fall: 3 };
  assert.equal(streakWords({ check: 'up', counter: 2 }, 'fail', thresholds), '3 of 3 failed');
  assert.equal(streakWords({ check: 'down', counter: 1 }, 'pass', thresholds), '2 of 2 passed');
  assert.equal(streakWords(CHECK_UNKNOWN, 'fail', thresholds), 'first check');
  assert.equal(streakWords({ check: 'up', counter: 4 }, 'condemn', thresholds), 'confirms what live traffic saw');
});

describe('the line of an edge', () => {
  const because = { detector: 'heartbeat', cause: 'why' } as const;
  const edge: StateEdge = { axis: 'check', from: 'up', to: 'down', ...because, before: 'up', after: 'down' };
  const parts = { endpoint: 'api/a:1', upstream: 'api', edge, total: 3, ejection: { lengthMs: 10_400, inRow: 1 } };
  const line = (usable: number, changed: Partial<StateEdge> = {}, inRow = 1): string =>
    edgeLine({ ...parts, usable, edge: { ...edge, ...changed }, ejection: { lengthMs: 10_400, inRow } });

  test('names endpoint, state, cause and the remaining endpoints', () => {
    assert.equal(line(2), 'endpoint api/a:1 is down: why; 2 of 3 endpoints of api remain');
    assert.equal(line(1), 'endpoint api/a:1 is down: why; 1 of 3 endpoints of api remains');
    assert.equal(line(0), 'endpoint api/a:1 is down: why; no endpoint of api remains');
  });

  test('names the usable endpoints after a return', () => {
    const back = { from: 'down', to: 'up', before: 'down', after: 'up' } as const;
    assert.equal(line(3, back), 'endpoint api/a:1 is up: why; 3 of 3 endpoints of api are usable');
    assert.equal(line(1, back), 'endpoint api/a:1 is up: why; 1 of 3 endpoints of api is usable');
  });

  test('gives the length of an ejection, and its number in a row', () => {
    const out = { axis: 'outlier', from: 'none', to: 'ejected', after: 'ejected' } as const;
    assert.equal(line(2, out), 'endpoint api/a:1 is ejected for 10.4 s: why; 2 of 3 endpoints of api remain');
    assert.match(line(2, out, 3), /is ejected for 10.4 s \(ejection 3 in a row\): why/);
  });

  test('of a transition without a change of availability is marked as such', () => {
    const quiet = { from: 'unknown', to: 'up', before: 'up', after: 'up' } as const;
    assert.equal(line(3, quiet), 'endpoint api/a:1 stays up, check goes from unknown to up: why');
  });
});
