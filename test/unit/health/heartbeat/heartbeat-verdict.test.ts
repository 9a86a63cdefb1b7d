// Verdicts on heartbeat results: counted, contradicted, or a suspicion confirmed. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointState } from '../../../../health/state/endpoint-state.ts';
import type { HeartbeatRecord } from '../../../../health/checkers/checker.ts';
import { canSee, judgeHeartbeat, stampAgeMs, type Evidence } from '../../../../health/heartbeat/heartbeat-verdict.ts';
import { HEARTBEAT } from '../../../support/health-bench.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';
import { SEEN } from '../../../support/because.ts';

const SETTINGS = {
  thresholds: { rise: 2, fall: 3 },
  outlier: { ejectionBaseMs: 10_000, ejectionMaxMs: 300_000, suspicionStepMs: 500 },
};

function stateThat(check: 'up' | 'down', suspectSinceMs?: number): EndpointState {
  const state = new EndpointState(SETTINGS, () => {});
  state.heartbeat(check === 'up' ? 'pass' : 'fail', 0, SEEN);
  if (suspectSinceMs !== undefined) {
    state.liveTraffic({ kind: 'suspect', signal: 'connect', isCheckable: true }, suspectSinceMs, SEEN);
  }
  return state;
}

function judge(record: Partial<HeartbeatRecord>, evidence: Partial<Evidence> = {}): string {
  return judgeHeartbeat(
    { kind: 'fail', cause: 'x', startedMs: 1_000, durationMs: 10, ...record },
    {
      state: stateThat('up'),
      liveSuccessAgeMs: Number.POSITIVE_INFINITY,
      fastIntervalMs: 500,
      isDispensable: () => true,
      nowMs: 1_010,
      silentSinceMs: null,
      aliveSinceMs: null,
      isNoneUp: () => false,
      ...evidence,
    },
  );
}

describe('judgeHeartbeat', () => {
  test('a failure counts', () => assert.equal(judge({}), 'fail'));
  test('a pass passes, whatever else', () => assert.equal(judge({ kind: 'ok' }, { liveSuccessAgeMs: 1 }), 'pass'));
  test('a pass of an endpoint that is down counts once', () => {
    assert.equal(judge({ kind: 'ok' }, { state: stateThat('down') }), 'pass');
  });
  test('a pass of an endpoint that is down is enough after a live answer, if it began later', () => {
    const evidence = { state: stateThat('down'), aliveSinceMs: 1_000 };
    assert.equal(judge({ kind: 'ok', startedMs: 1_000 }, evidence), 'restore');
    assert.equal(judge({ kind: 'ok', startedMs: 999 }, evidence), 'pass');
    assert.equal(judge({ kind: 'fail', startedMs: 1_000 }, evidence), 'fail');
  });
  test('a pass of an endpoint that is down is enough where no other one is up', () => {
    assert.equal(judge({ kind: 'ok' }, { state: stateThat('down'), isNoneUp: () => true }), 'restore');
    assert.equal(judge({ kind: 'ok' }, { state: stateThat('up'), isNoneUp: () => true }), 'pass');
  });
  test('our own trouble counts for nothing', () => assert.equal(judge({ kind: 'unknown' }), 'unknown'));

  test('a failure is contradicted by a good answer within the fast interval, not by an older one', () => {
    assert.equal(judge({}, { liveSuccessAgeMs: 499 }), 'contradicted');
    assert.equal(judge({}, { liveSuccessAgeMs: 500 }), 'fail');
  });

  test('another role than the expected one is final, whatever live traffic shows', () => {
    assert.equal(judge({ isWrongRole: true }, { liveSuccessAgeMs: 1, isDispensable: () => false }), 'condemn');
    assert.equal(judge({ isWrongRole: true }, { state: stateThat('down') }), 'fail');
  });

  test('an endpoint that is down already is not contradicted: there is nothing to prevent', () => {
    assert.equal(judge({}, { state: stateThat('down'), liveSuccessAgeMs: 1 }), 'fail');
  });

  test('a failure after a suspicion confirms it', () => {
    assert.equal(judge({ startedMs: 1_000 }, { state: stateThat('up', 1_000) }), 'condemn');
  });

  test('a heartbeat that began before the suspicion is no second witness', () => {
    assert.equal(judge({ startedMs: 999 }, { state: stateThat('up', 1_000) }), 'fail');
  });

  test('an endpoint that the upstream needs is not condemned by one heartbeat', () => {
    assert.equal(judge({}, { state: stateThat('up', 1_000), isDispensable: () => false }), 'fail');
  });

  test('a success before the suspicion is no proof of life, one since then is', () => {
    const suspect = { state: stateThat('up', 1_000), nowMs: 1_100 };
    assert.equal(judge({}, { ...suspect, liveSuccessAgeMs: 100 }), 'condemn');
    assert.equal(judge({}, { ...suspect, liveSuccessAgeMs: 99 }), 'contradicted');
  });
});

describe('the age of a stamp', () => {
  test('is the difference in ms', () => assert.equal(stampAgeMs(1_000, 1_250.7), 250));
  test('of 0 is infinite: there never was one', () => assert.equal(stampAgeMs(0, 5), Number.POSITIVE_INFINITY));
  test('is right where the 32 bits have wrapped between', () => {
    assert.equal(stampAgeMs((2 ** 31 - 100) | 0, 2 ** 31 + 50), 150);
    assert.equal(stampAgeMs((2 ** 32 - 10) | 0, 2 ** 32 + 10), 20);
  });
  test('of another clock that is slightly ahead is 0', () => assert.equal(stampAgeMs(1_003, 1_000), 0));
  test('from before the wall clock was set back is ignored', () => {
    assert.equal(stampAgeMs(3_600_000, 1_000), Number.POSITIVE_INFINITY);
  });
});

describe('canSee', () => {
  const endpoint = endpointSnapshot(0);
  const sees = (parts: Partial<typeof HEARTBEAT>, signal: Parameters<typeof canSee>[1]): boolean =>
    canSee({ heartbeat: { ...HEARTBEAT, ...parts }, endpoint, upstream: upstreamSnapshot() }, signal);

  test('HTTP sees refused connections and bad answers', () => {
    for (const signal of ['connect', 'gateway', 'timeout', 'resetBefore', null] as const) assert.ok(sees({}, signal));
  });
  test('TCP sees refused connections only', () => {
    assert.ok(sees({ kind: 'tcp' }, 'connect'));
    for (const signal of ['gateway', 'timeout', 'resetBefore', null] as const)
      assert.ok(!sees({ kind: 'tcp' }, signal));
  });
  test('a heartbeat to another port sees nothing of this one', () => {
    assert.ok(!sees({ port: 9_000 }, 'connect'));
    assert.ok(sees({ port: endpoint.port }, 'connect'));
  });
});
