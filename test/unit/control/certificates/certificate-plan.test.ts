// When certificates are renewed, and failed orders repeated. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  NO_PLAN,
  planAfterFailure,
  planFor,
  planInWindow,
  planWithoutWindow,
} from '../../../../control/certificates/certificate-plan.ts';
import { seededRandom } from '../../../../core/random.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);

describe('renewal', () => {
  for (const [days, earliest, latest] of [
    [90, 57, 60],
    [47, 29.7, 31.34],
    [6, 2.8, 3],
  ] as const) {
    test(`a certificate for ${days} days is renewed ${earliest} to ${latest} days after its begin`, () => {
      const random = seededRandom(days);
      const validity = { serial: 'A', notBeforeMs: NOW, notAfterMs: NOW + days * DAY_MS };
      const after = Array.from({ length: 200 }, () => (planFor(validity, random).renewAtMs - NOW) / DAY_MS);
      assert.ok(
        Math.min(...after) >= earliest && Math.max(...after) <= latest,
        `${Math.min(...after)} ${Math.max(...after)}`,
      );
      assert.ok(Math.max(...after) - Math.min(...after) > days / 60, 'with jitter');
    });
  }

  test('a suggested window decides, and a time in it stays until the window changes', () => {
    const random = seededRandom(1);
    const window = { startMs: NOW + DAY_MS, endMs: NOW + 2 * DAY_MS };
    const first = planInWindow(NO_PLAN, window, 0, NOW, random);
    assert.ok(first.renewAtMs >= window.startMs && first.renewAtMs <= window.endMs);
    assert.equal(first.lookAtMs, NOW + 6 * HOUR_MS, 'without Retry-After');
    const second = planInWindow(first, { ...window }, 2 * HOUR_MS, NOW, random);
    assert.equal(second.renewAtMs, first.renewAtMs);
    assert.equal(second.lookAtMs, NOW + 2 * HOUR_MS);
    const past = planInWindow(second, { startMs: NOW - 2 * HOUR_MS, endMs: NOW - HOUR_MS }, 0, NOW, random);
    assert.ok(past.renewAtMs < NOW, 'a window in the past: due at once');
  });

  test('looks at renewal information are a minute to a day apart', () => {
    const window = { startMs: NOW, endMs: NOW };
    assert.equal(planInWindow(NO_PLAN, window, 1, NOW, seededRandom(1)).lookAtMs, NOW + 60_000);
    assert.equal(planInWindow(NO_PLAN, window, 30 * DAY_MS, NOW, seededRandom(1)).lookAtMs, NOW + DAY_MS);
    assert.equal(planWithoutWindow(NO_PLAN, NOW).lookAtMs, NOW + 6 * HOUR_MS);
  });
});

describe('failures', () => {
  test('are repeated after 5 minutes, then twice as long each time, up to 12 hours', () => {
    const random = seededRandom(7);
    let plan = NO_PLAN;
    for (const minutes of [5, 10, 20, 40, 80, 160, 320, 640, 720, 720]) {
      plan = planAfterFailure(plan, { message: 'refused', retryAfterMs: 0, isPrevented: false }, NOW, random);
      const delayMinutes = (plan.retryAtMs - NOW) / 60_000;
      assert.ok(delayMinutes >= minutes * 0.75 && delayMinutes <= minutes, `${delayMinutes} instead of ${minutes}`);
    }
    assert.deepEqual([plan.failures, plan.lastError], [10, 'refused']);
  });

  test('wait at least as long as the CA demands', () => {
    const failure = { message: 'busy', retryAfterMs: 3 * HOUR_MS, isPrevented: false };
    assert.equal(planAfterFailure(NO_PLAN, failure, NOW, seededRandom(1)).retryAtMs, NOW + 3 * HOUR_MS);
  });

  test('of a preflight are repeated after a minute, then twice as long each time, up to an hour', () => {
    let plan = NO_PLAN;
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      plan = planAfterFailure(plan, { message: '', retryAfterMs: 0, isPrevented: true }, NOW, seededRandom(1));
      const delayMinutes = (plan.retryAtMs - NOW) / 60_000;
      assert.ok(delayMinutes >= minutes * 0.75 && delayMinutes <= minutes, `${delayMinutes} instead of ${minutes}`);
    }
  });
});
