// Random sequences of events against a reference interpreter: a table of one merged state, written without a look at
// the axes' code (docs/algorithms.md 3.4 and 3.5, Tests). Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EndpointState } from '../../../../health/state/endpoint-state.ts';
import { ejectionsInRow } from '../../../../health/state/outlier-axis.ts';
import { by, OPERATOR, SEEN } from '../../../support/because.ts';

const RISE = 2;
const FALL = 3;
const BASE_MS = 10_000;
const SETTINGS = {
  thresholds: { rise: RISE, fall: FALL },
  outlier: { ejectionBaseMs: BASE_MS, ejectionMaxMs: 300_000, suspicionStepMs: 500 },
};

const EVENTS = [
  'pass',
  'fail',
  'condemn',
  'suspect',
  'clear',
  'eject',
  'release',
  'restore',
  'ready',
  'drain',
  'maintenance',
  'unresolved',
  'resolved',
] as const;
type Event = (typeof EVENTS)[number];

/** The reference: plain variables, one function. */
class Reference {
  admin = 'ready';
  hasAddress = true;
  /** 'new' until the first heartbeat; then the last verdict, and results in a row that speak against it. */
  verdict = 'new';
  against = 0;
  traffic = 'none';
  inRow = 0;
  returnedMs = 0;

  take(event: Event, nowMs: number): void {
    if (event === 'ready' || event === 'drain' || event === 'maintenance') this.#setAdmin(event);
    else if (event === 'unresolved' || event === 'resolved') this.hasAddress = event === 'resolved';
    else if (this.admin === 'maintenance') return;
    else if (event === 'pass' || event === 'fail' || event === 'condemn') this.#heartbeat(event);
    else if (this.verdict !== 'down') this.#live(event, nowMs);
  }

  get availability(): string {
    if (this.admin === 'maintenance') return 'maintenance';
    if (!this.hasAddress) return 'unresolved';
    if (this.admin === 'drain') return 'drain';
    if (this.verdict === 'down') return 'down';
    return this.traffic === 'none' ? 'up' : this.traffic;
  }

  #setAdmin(admin: string): void {
    this.admin = admin;
    if (admin !== 'maintenance') return;
    this.verdict = 'new';
    this.against = 0;
    this.#forget();
  }

  #heartbeat(event: 'pass' | 'fail' | 'condemn'): void {
    const says = event === 'pass' ? 'up' : 'down';
    this.against = says === this.verdict ? 0 : this.against + 1;
    const needed = this.verdict === 'new' || event === 'condemn' ? 1 : says === 'up' ? RISE : FALL;
    if (this.against >= needed) {
      this.verdict = says;
      this.against = 0;
    }
    if (this.verdict === 'down') this.#forget();
  }

  #live(event: Event, nowMs: number): void {
    const from = this.traffic;
    if (event === 'suspect' && from === 'none') this.traffic = 'suspect';
    if (event === 'clear' && from === 'suspect') this.traffic = 'none';
    if (event === 'release' && from === 'ejected') this.traffic = 'halfOpen';
    if (event === 'restore' && from === 'halfOpen') {
      this.traffic = 'none';
      this.returnedMs = nowMs;
    }
    if (event !== 'eject' || from === 'ejected') return;
    const forgiven = from === 'halfOpen' ? 0 : Math.floor((nowMs - this.returnedMs) / BASE_MS);
    this.inRow = Math.min(30, Math.max(0, this.inRow - forgiven) + 1);
    this.traffic = 'ejected';
  }

  #forget(): void {
    this.traffic = 'none';
    this.inRow = 0;
  }
}

function play(state: EndpointState, event: Event, nowMs: number): void {
  switch (event) {
    case 'pass':
    case 'fail':
    case 'condemn':
      return state.heartbeat(event, nowMs, SEEN);
    case 'ready':
    case 'drain':
    case 'maintenance':
      return state.setAdmin(event, nowMs, OPERATOR);
    case 'unresolved':
    case 'resolved':
      return state.setResolution(event, by('discovery'));
    case 'suspect':
      return state.liveTraffic({ kind: 'suspect', signal: 'connect', isCheckable: true }, nowMs, SEEN);
    case 'eject':
      return state.liveTraffic({ kind: 'eject', signal: 'connect', jitter: 0 }, nowMs, SEEN);
    default:
      return state.liveTraffic({ kind: event }, nowMs, SEEN);
  }
}

const steps = fc.array(fc.record({ event: fc.constantFrom(...EVENTS), waitMs: fc.integer({ min: 0, max: 25_000 }) }), {
  maxLength: 60,
  size: 'max',
});

describe('EndpointState', () => {
  test('agrees with the reference, transition by transition', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const reference = new Reference();
        let edges = 0;
        const state = new EndpointState(SETTINGS, ({ from, to, before, after }) => {
          edges++;
          assert.notEqual(from, to);
          assert.equal(last, before, 'edges are without a gap');
          last = after;
        });
        let last = state.availability;
        let nowMs = 0;
        for (const { event, waitMs } of script) {
          nowMs += waitMs;
          play(state, event, nowMs);
          reference.take(event, nowMs);
          assert.equal(state.availability, reference.availability, event);
          assert.equal(state.axes.outlier, reference.traffic, event);
          if (state.axes.outlier === 'ejected') assert.equal(state.outlier.ejections, reference.inRow);
          assert.ok(ejectionsInRow(state.outlier, nowMs, SETTINGS.outlier) <= 30);
        }
        assert.equal(last, state.availability);
        assert.ok(edges <= script.length * 3);
      }),
      { seed: 20_260_101, numRuns: 3_000 },
    );
  });

  test('never goes down without the first failure, fall in a row, or a confirmed suspicion', () => {
    const results = fc.array(fc.constantFrom('pass', 'fail'), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(results, (script) => {
        let failuresInRow = 0;
        let count = 0;
        const state = new EndpointState(SETTINGS, ({ to }) => {
          if (to === 'down') assert.ok(failuresInRow >= FALL || count === 1, `${failuresInRow} of ${count}`);
        });
        for (const event of script) {
          failuresInRow = event === 'fail' ? failuresInRow + 1 : 0;
          count++;
          state.heartbeat(event, 0, SEEN);
        }
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });
});
