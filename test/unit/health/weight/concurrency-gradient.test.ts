// The adaptive limit of one endpoint, window by window: when it grows, shrinks, stays and looks for its baseline.
// Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConcurrencyGradient, MOST_LIMIT } from '../../../../health/weight/concurrency-gradient.ts';

/** The middle of the jitter. */
const MIDDLE = { next: () => 0.5 };
const WINDOW_MS = 250;

/** A gradient that is given one window after the other. */
class Played {
  readonly gradient: ConcurrencyGradient;
  nowMs = 0;

  constructor(most = 0) {
    this.gradient = new ConcurrencyGradient(most, MIDDLE);
  }

  /** Windows with this median, as crowded as the limit allows; or with this many in flight. */
  see(p50Ms: number, windows = 1, peak: number | null = null): this {
    for (let i = 0; i < windows; i++) {
      this.nowMs += WINDOW_MS;
      const { limit } = this.gradient;
      this.gradient.take({ p50Ms, peak: peak ?? limit, nowMs: this.nowMs, lengthMs: WINDOW_MS });
    }
    return this;
  }

  /** Windows of an endpoint that serves `places` at once, until the next look for the baseline has ended. */
  seeProbe(p50At: (inflight: number) => number): this {
    const step = (): void => {
      this.see(p50At(this.gradient.limit));
    };
    for (let i = 0; i < 1000 && !this.gradient.isProbing; i++) step();
    assert.ok(this.gradient.isProbing, 'it looks for its baseline');
    step();
    return this;
  }
}

describe('an adaptive limit', () => {
  test('begins at 20, or at its upper bound where that is lower', () => {
    assert.equal(new ConcurrencyGradient(0, MIDDLE).limit, 20);
    assert.equal(new ConcurrencyGradient(8, MIDDLE).limit, 8);
  });

  test('stays where it is not what holds requests back, however slow answers are', () => {
    const { gradient } = new Played().see(10, 5, 3).see(500, 5, 9).see(1, 5, 0);
    assert.equal(gradient.limit, 20);
  });

  test('takes what answers take at rest as its baseline, smoothed', () => {
    const played = new Played().see(10, 1, 3);
    assert.equal(played.gradient.baselineMs, 10);
    played.see(20, 1, 3);
    assert.equal(played.gradient.baselineMs, 12);
    assert.equal(played.gradient.p50Ms, 20);
  });

  test('grows while the endpoint is crowded and answers as at rest', () => {
    const played = new Played().see(10, 1, 3).see(10);
    assert.equal(played.gradient.limit, Math.floor(20 * 1.25 + Math.sqrt(20)));
    played.see(10, 3);
    assert.ok(played.gradient.limit > 60);
  });

  test('grows to its bound at most', () => {
    assert.equal(new Played(30).see(10, 3).gradient.limit, 30);
    const played = new Played().see(10, 1, 3);
    for (let i = 0; i < 400; i++) played.see(10);
    assert.ok(played.gradient.limit <= MOST_LIMIT);
    assert.ok(new Played().see(10, 3).see(10, 60).gradient.limit > 1000);
  });

  test('shrinks where answers are slower than the buffer allows, by half in one step at most', () => {
    const played = new Played().see(10, 1, 3).see(10, 3);
    const before = played.gradient.limit;
    played.see(1000);
    const { limit } = played.gradient;
    assert.ok(limit >= before / 2 && limit < before / 2 + Math.sqrt(before) + 1, `${limit} after ${before}`);
  });

  test('never falls below four, nor below a lower bound of the configuration', () => {
    const least = (played: Played): number => {
      let lowest = Infinity;
      for (let i = 0; i < 500; i++)
        lowest = Math.min(lowest, played.see(10 + 5 * played.gradient.limit).gradient.limit);
      return lowest;
    };
    assert.equal(least(new Played().see(10, 1, 3)), 4);
    assert.equal(least(new Played(2).see(10, 1, 0)), 2);
  });

  test('takes a changed bound over', () => {
    const played = new Played().see(10, 4);
    played.gradient.retune(12);
    assert.equal(played.gradient.limit, 12);
    played.gradient.retune(0);
    assert.ok(played.see(10, 3).gradient.limit > 12);
  });

  test('lets a baseline that it cannot see grow by 1 % a minute', () => {
    const played = new Played().see(10, 1, 3);
    // Too few windows for a look of its own, but a minute long.
    played.nowMs += 60_000;
    played.gradient.take({ p50Ms: 12, peak: 20, nowMs: played.nowMs, lengthMs: 60_000 });
    assert.ok(Math.abs(played.gradient.baselineMs - 10.1) < 1e-9);
  });
});

describe('a look for the baseline', () => {
  test('comes a second after crowding began: the limit is halved, answers of before are waited for, and it is back', () => {
    const played = new Played().see(10, 1, 3).see(12);
    const limits: number[] = [];
    for (let i = 0; i < 8; i++) limits.push(played.see(12).gradient.limit);
    const halved = limits.findIndex((limit, i) => i > 0 && limit < limits[i - 1]! * 0.7);
    assert.equal(halved, 3, limits.join());
    assert.equal(limits[halved + 1], limits[halved], 'answers of before the halving are left out');
    assert.ok(limits[halved + 2]! > limits[halved]! * 1.9, 'the limit is back');
  });

  test('is not over before twice the time of an answer', () => {
    const played = new Played().see(400, 1, 3);
    for (let i = 0; i < 20 && !played.gradient.isDraining(played.nowMs + 1); i++) played.see(400);
    assert.ok(played.gradient.isDraining(played.nowMs + 799));
    assert.ok(!played.gradient.isDraining(played.nowMs + 801));
  });

  test('raises the baseline where half as many requests are as slow: the endpoint has become slower', () => {
    const played = new Played().see(10, 1, 3).see(40, 3);
    assert.ok(played.gradient.limit < 20);
    played.seeProbe(() => 40);
    assert.equal(played.gradient.baselineMs, 40);
    const before = played.gradient.limit;
    assert.ok(played.see(40, 3).gradient.limit > 2 * before, `${played.gradient.limit} after ${before}`);
  });

  test('keeps the baseline where fewer requests are faster: crowding makes them slow', () => {
    const crowded = (inflight: number): number => Math.max(10, 2 * inflight);
    const played = new Played().see(10, 1, 2).seeProbe(crowded);
    assert.ok(played.gradient.baselineMs < 10.1, `${played.gradient.baselineMs}`);
  });

  test('finds the baseline of an endpoint that was never at rest, look by look', () => {
    const places = 5;
    const played = new Played();
    for (let i = 0; i < 8; i++) played.seeProbe((inflight) => 10 * Math.max(1, inflight / places));
    assert.ok(played.gradient.baselineMs < 12, `${played.gradient.baselineMs}`);
    assert.ok(played.gradient.limit >= places && played.gradient.limit <= 3 * places, `${played.gradient.limit}`);
  });

  test('comes half as often each time that it finds nothing new, once a minute in the end', () => {
    const played = new Played().see(10, 1, 3);
    const ends: number[] = [];
    for (let i = 0; i < 9; i++) ends.push(played.seeProbe((inflight) => 10 * Math.max(1, inflight / 20)).nowMs);
    const gaps = ends.slice(1).map((end, i) => end - ends[i]!);
    for (let i = 1; i < 5; i++) assert.ok(gaps[i]! > 1.4 * gaps[i - 1]!, gaps.join());
    assert.ok(gaps.at(-1)! > 58_000 && gaps.at(-1)! < 63_000, gaps.join());
  });

  test('ends at once where the crowd has gone', () => {
    const played = new Played().see(10, 1, 3);
    while (!played.gradient.isProbing) played.see(12);
    const { limit } = played.gradient;
    played.see(10, 1, 1);
    assert.ok(played.gradient.limit > 1.9 * limit && !played.gradient.isProbing);
  });
});
