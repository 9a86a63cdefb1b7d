// One endpoint's state: the edges that sequences of events take, and what one axis does to another. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointState, type StateEdge } from '../../../../health/state/endpoint-state.ts';
import type { OutlierEvent } from '../../../../health/state/outlier-axis.ts';
import { AGENT, by, OPERATOR, SEEN } from '../../../support/because.ts';

const SETTINGS = {
  thresholds: { rise: 2, fall: 3 },
  outlier: { ejectionBaseMs: 10_000, ejectionMaxMs: 300_000, suspicionStepMs: 500 },
};

function begin(): { state: EndpointState; edges: string[]; full: StateEdge[] } {
  const edges: string[] = [];
  const full: StateEdge[] = [];
  const state = new EndpointState(SETTINGS, (edge) => {
    edges.push(`${edge.axis} ${edge.from}>${edge.to}: ${edge.before}>${edge.after}`);
    full.push(edge);
  });
  return { state, edges, full };
}

const eject = { kind: 'eject', signal: 'connect', jitter: 0 } as const;
const suspect = { kind: 'suspect', signal: 'timeout', isCheckable: true } as const;

describe('EndpointState', () => {
  test('begins ready, unknown, and usable', () => {
    const { state } = begin();
    assert.deepEqual(state.axes, { admin: 'ready', check: 'unknown', outlier: 'none', resolution: 'resolved' });
    assert.equal(state.availability, 'up');
  });

  test('goes down after fall failures and up after rise passes, with one edge each', () => {
    const { state, edges } = begin();
    for (const event of ['pass', 'fail', 'fail', 'fail', 'fail', 'pass', 'pass', 'pass'] as const) {
      state.heartbeat(event, 0, SEEN);
    }
    assert.deepEqual(edges, ['check unknown>up: up>up', 'check up>down: up>down', 'check down>up: down>up']);
  });

  test('reports each edge with its cause, after it was taken', () => {
    const seen: string[] = [];
    const state: EndpointState = new EndpointState(SETTINGS, ({ detector, cause, after }) => {
      seen.push(`${detector}, ${cause}: ${after} is ${state.availability}`);
    });
    state.liveTraffic(suspect, 5, by('firstFailure', 'no response in time'));
    assert.deepEqual(seen, ['firstFailure, no response in time: suspect is suspect']);
  });

  test('walks from ejected over half-open to up', () => {
    const { state, edges } = begin();
    state.liveTraffic(eject, 0, SEEN);
    state.liveTraffic(eject, 1, SEEN);
    state.liveTraffic({ kind: 'restore' }, 2, SEEN);
    state.liveTraffic({ kind: 'release' }, 3, SEEN);
    state.liveTraffic({ kind: 'restore' }, 4, SEEN);
    assert.deepEqual(edges, [
      'outlier none>ejected: up>ejected',
      'outlier ejected>halfOpen: ejected>halfOpen',
      'outlier halfOpen>none: halfOpen>up',
    ]);
  });

  test('an endpoint that heartbeats take down leaves the outlier axis, and takes no report while it is down', () => {
    const { state, edges } = begin();
    state.liveTraffic(eject, 0, SEEN);
    state.heartbeat('fail', 1, SEEN);
    state.liveTraffic(eject, 2, SEEN);
    state.liveTraffic(suspect, 2, SEEN);
    assert.deepEqual(edges, [
      'outlier none>ejected: up>ejected',
      'check unknown>down: ejected>down',
      'outlier ejected>none: down>down',
    ]);
    assert.equal(state.outlier.ejections, 0);
  });

  test('maintenance discards check and outlier states, and accepts neither heartbeats nor reports', () => {
    const { state, edges } = begin();
    state.heartbeat('pass', 0, SEEN);
    state.liveTraffic(suspect, 0, SEEN);
    state.setAdmin('maintenance', 1, OPERATOR);
    state.heartbeat('fail', 2, SEEN);
    state.liveTraffic(eject, 2, SEEN);
    state.setAdmin('ready', 3, OPERATOR);
    assert.deepEqual(edges.slice(2), [
      'admin ready>maintenance: suspect>maintenance',
      'check up>unknown: maintenance>maintenance',
      'outlier suspect>none: maintenance>maintenance',
      'admin maintenance>ready: maintenance>up',
    ]);
  });

  test('drain keeps the other axes moving behind it', () => {
    const { state, edges } = begin();
    state.setAdmin('drain', 0, OPERATOR);
    state.heartbeat('fail', 1, SEEN);
    state.setAdmin('ready', 2, OPERATOR);
    assert.deepEqual(edges, [
      'admin ready>drain: up>drain',
      'check unknown>down: drain>drain',
      'admin drain>ready: drain>down',
    ]);
  });

  test('the same wish twice is one edge', () => {
    const { state, edges } = begin();
    state.setAdmin('drain', 0, OPERATOR);
    state.setAdmin('drain', 1, OPERATOR);
    state.setResolution('resolved', by('discovery'));
    assert.equal(edges.length, 1);
  });

  test('neither the operator nor the endpoint cancels the request of the other one; the stricter one applies', () => {
    const { state, edges } = begin();
    state.setAdmin('drain', 0, AGENT);
    state.setAdmin('ready', 1, OPERATOR);
    state.setAdmin('maintenance', 2, OPERATOR);
    state.setAdmin('ready', 3, AGENT);
    state.setAdmin('drain', 4, AGENT);
    state.setAdmin('ready', 5, OPERATOR);
    assert.deepEqual(state.wishes, { operator: 'ready', agent: 'drain' });
    state.setAdmin('ready', 6, AGENT);
    assert.deepEqual(edges, [
      'admin ready>drain: up>drain',
      'admin drain>maintenance: drain>maintenance',
      'admin maintenance>drain: maintenance>drain',
      'admin drain>ready: drain>up',
    ]);
  });

  test('how an endpoint behaved before it was found out forgives it nothing', () => {
    const { state } = begin();
    const ejections = (event: OutlierEvent, nowMs: number): number => {
      state.liveTraffic(event, nowMs, SEEN);
      return state.outlier.ejections;
    };
    ejections(eject, 0);
    ejections({ kind: 'release' }, 10_000);
    ejections({ kind: 'restore' }, 10_000);
    assert.equal(ejections({ kind: 'eject', signal: null, jitter: 0, illSinceMs: 12_000 }, 24_000), 2);
    ejections({ kind: 'release' }, 44_000);
    ejections({ kind: 'restore' }, 44_000);
    assert.equal(ejections({ kind: 'eject', signal: null, jitter: 0, illSinceMs: 30_000 }, 54_000), 3);
    ejections({ kind: 'release' }, 84_000);
    ejections({ kind: 'restore' }, 84_000);
    assert.equal(ejections({ kind: 'eject', signal: null, jitter: 0, illSinceMs: 94_000 }, 104_000), 3);
  });

  test('an endpoint without an address is unresolved, and comes back as it was', () => {
    const { state, edges } = begin();
    state.setResolution('unresolved', by('discovery'));
    state.setResolution('resolved', by('discovery'));
    assert.deepEqual(edges, [
      'resolution resolved>unresolved: up>unresolved',
      'resolution unresolved>resolved: unresolved>up',
    ]);
  });

  test('changed thresholds are no transition and restart the streak; other changes keep it', () => {
    const { state, edges } = begin();
    for (const event of ['pass', 'fail', 'fail'] as const) state.heartbeat(event, 0, SEEN);
    state.retune({ ...SETTINGS, outlier: { ...SETTINGS.outlier, ejectionBaseMs: 5_000 } });
    assert.equal(state.check.counter, 2);
    state.retune({ ...SETTINGS, thresholds: { rise: 2, fall: 2 } });
    state.heartbeat('fail', 0, SEEN);
    assert.equal(state.availability, 'up');
    assert.equal(edges.length, 1);
  });
});
