// The outlier axis: every event from every state, growing ejections and how they are forgiven. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outlier } from '../../../../core/availability.ts';
import {
  ejectionsInRow,
  OUTLIER_EDGES,
  OUTLIER_NONE,
  stepOutlier,
  type OutlierEvent,
  type OutlierSettings,
  type OutlierState,
} from '../../../../health/state/outlier-axis.ts';

const SETTINGS: OutlierSettings = { ejectionBaseMs: 10_000, ejectionMaxMs: 300_000, suspicionStepMs: 500 };
const SUSPECT: OutlierEvent = { kind: 'suspect', signal: 'gateway', isCheckable: true };
const EJECT: OutlierEvent = { kind: 'eject', signal: 'connect', jitter: 0 };

function play(state: OutlierState, nowMs: number, ...events: OutlierEvent[]): OutlierState {
  return events.reduce((before, event) => stepOutlier(before, event, nowMs, SETTINGS), state);
}

const STATES: Readonly<Record<Outlier, OutlierState>> = {
  none: OUTLIER_NONE,
  suspect: play(OUTLIER_NONE, 0, SUSPECT),
  ejected: play(OUTLIER_NONE, 0, EJECT),
  halfOpen: play(OUTLIER_NONE, 0, EJECT, { kind: 'release' }),
};

/** Where each event leads from each state; what isn't named is refused. */
const LEADS: Readonly<Record<OutlierEvent['kind'], Partial<Record<Outlier, Outlier>>>> = {
  suspect: { none: 'suspect' },
  clear: { suspect: 'none' },
  eject: { none: 'ejected', suspect: 'ejected', halfOpen: 'ejected' },
  release: { ejected: 'halfOpen' },
  restore: { halfOpen: 'none' },
  forget: { none: 'none', suspect: 'none', ejected: 'none', halfOpen: 'none' },
};
const EVENTS: readonly OutlierEvent[] = [
  SUSPECT,
  { kind: 'clear' },
  EJECT,
  { kind: 'release' },
  { kind: 'restore' },
  { kind: 'forget' },
];

describe('the outlier axis', () => {
  for (const event of EVENTS) {
    for (const [from, state] of Object.entries(STATES) as [Outlier, OutlierState][]) {
      const to = LEADS[event.kind][from];
      test(`${from} on ${event.kind} ${to === undefined ? 'stays as it is' : `becomes ${to}`}`, () => {
        const next = stepOutlier(state, event, 1_000, SETTINGS);
        if (to === undefined) assert.equal(next, state);
        else assert.equal(next.outlier, to);
        if (next.outlier !== from) assert.ok(OUTLIER_EDGES[from].includes(next.outlier));
      });
    }
  }

  test('every edge of the table is led to by some event', () => {
    const taken = new Set(
      Object.values(LEADS).flatMap((by) => Object.entries(by).map(([from, to]) => `${from}>${to}`)),
    );
    for (const [from, targets] of Object.entries(OUTLIER_EDGES)) {
      for (const to of targets) assert.ok(taken.has(`${from}>${to}`), `${from} to ${to}`);
    }
  });
});

describe('an ejection', () => {
  const lengthOf = (state: OutlierState): number => state.untilMs - state.sinceMs;

  test('grows by the base time with each failed trial, to the maximum', () => {
    const lengths: number[] = [];
    let state = play(OUTLIER_NONE, 0, EJECT);
    for (let i = 0; i < 40; i++) {
      lengths.push(lengthOf(state));
      state = play(state, state.untilMs, { kind: 'release' }, { kind: 'eject', signal: null, jitter: 0 });
      assert.ok(state.ejections <= 30);
    }
    const expected = Array.from({ length: 40 }, (_, index) => Math.min(300_000, 10_000 * (index + 1)));
    assert.deepEqual(lengths, expected);
  });

  test('is prolonged by the jitter, by at most a tenth', () => {
    const withJitter = (jitter: number): number =>
      lengthOf(play(OUTLIER_NONE, 0, { kind: 'eject', signal: 'connect', jitter }));
    assert.deepEqual([0, 0.5, 0.999].map(withJitter).map(Math.round), [10_000, 10_500, 10_999]);
  });

  test('each healthy base time after the return forgives one', () => {
    let state = play(OUTLIER_NONE, 0, EJECT, { kind: 'release' }, EJECT, { kind: 'release' }, EJECT);
    assert.equal(ejectionsInRow(state, 1e9, SETTINGS), 3);
    state = play(state, 100_000, { kind: 'release' }, { kind: 'restore' });
    const after = [0, 9_999, 10_000, 20_000, 30_000, 90_000].map((ms) => ejectionsInRow(state, 100_000 + ms, SETTINGS));
    assert.deepEqual(after, [3, 3, 2, 1, 0, 0]);
    assert.equal(lengthOf(play(state, 115_000, EJECT)), 30_000);
    assert.equal(lengthOf(play(state, 200_000, EJECT)), 10_000);
  });

  test('forgiveness restarts with each ejection', () => {
    const twice = play(OUTLIER_NONE, 0, EJECT, { kind: 'release' }, EJECT, { kind: 'release' }, { kind: 'restore' });
    const again = play(twice, 10_000, EJECT, { kind: 'release' }, { kind: 'restore' });
    assert.equal(again.ejections, 2);
    assert.equal(ejectionsInRow(again, 19_999, SETTINGS), 2);
  });

  test('is forgotten whole', () => {
    const state = play(OUTLIER_NONE, 0, EJECT, { kind: 'release' }, EJECT, { kind: 'forget' });
    assert.equal(ejectionsInRow(state, 0, SETTINGS), 0);
  });
});

describe('a suspicion', () => {
  /** Ms that each suspicion stands when the endpoint is suspected again `gapMs` after each was cleared. */
  function lengths(isCheckable: boolean, gapMs: number): number[] {
    const found: number[] = [];
    let nowMs = 0;
    let state = OUTLIER_NONE;
    for (let i = 0; i < 6; i++) {
      state = play(state, nowMs, { kind: 'suspect', signal: 'timeout', isCheckable });
      found.push(state.untilMs - nowMs);
      nowMs = state.untilMs;
      state = play(state, nowMs, { kind: 'clear' });
      nowMs += gapMs;
    }
    return found;
  }

  test('that a heartbeat can decide stands for no time at first, then twice as long each time, up to 2.5 s', () => {
    assert.deepEqual(lengths(true, 100), [0, 500, 1_000, 2_000, 2_500, 2_500]);
  });

  test('that no heartbeat can decide stands for 1 s at first', () => {
    assert.deepEqual(lengths(false, 100), [1_000, 2_000, 2_500, 2_500, 2_500, 2_500]);
  });

  test('is the first one again after a base time without any', () => {
    assert.deepEqual(lengths(true, 10_000), [0, 0, 0, 0, 0, 0]);
  });

  test('keeps its signal until it is cleared', () => {
    const state = play(OUTLIER_NONE, 0, SUSPECT);
    assert.equal(state.signal, 'gateway');
    assert.equal(play(state, 1, { kind: 'clear' }).signal, null);
  });
});
