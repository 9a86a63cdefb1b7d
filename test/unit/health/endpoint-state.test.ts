// One endpoint's state: the edges that sequences of events take, and what one axis does to another. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointState, type StateEdge } from '../../../health/endpoint-state.ts';

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
      state.heartbeat(event, 0, 'seen');
    }
    assert.deepEqual(edges, ['check unknown>up: up>up', 'check up>down: up>down', 'check down>up: down>up']);
  });

  test('reports each edge with its cause, after it was taken', () => {
    const seen: string[] = [];
    const state: EndpointState = new EndpointState(SETTINGS, ({ cause, after }) => {
      seen.push(`${cause}: ${after} is ${state.availability}`);
    });
    state.liveTraffic(suspect, 5, 'no response in time');
    assert.deepEqual(seen, ['no response in time: suspect is suspect']);
  });

  test('walks from ejected over half-open to up', () => {
    const { state, edges } = begin();
    state.liveTraffic(eject, 0, 'x');
    state.liveTraffic(eject, 1, 'refused: it is ejected already');
    state.liveTraffic({ kind: 'restore' }, 2, 'refused: it was not tried');
    state.liveTraffic({ kind: 'release' }, 3, 'x');
    state.liveTraffic({ kind: 'restore' }, 4, 'x');
    assert.deepEqual(edges, [
      'outlier none>ejected: up>ejected',
      'outlier ejected>halfOpen: ejected>halfOpen',
      'outlier halfOpen>none: halfOpen>up',
    ]);
  });

  test('an endpoint that heartbeats take down leaves the outlier axis, and takes no report while it is down', () => {
    const { state, edges } = begin();
    state.liveTraffic(eject, 0, 'x');
    state.heartbeat('fail', 1, 'x');
    state.liveTraffic(eject, 2, 'refused');
    state.liveTraffic(suspect, 2, 'refused');
    assert.deepEqual(edges, [
      'outlier none>ejected: up>ejected',
      'check unknown>down: ejected>down',
      'outlier ejected>none: down>down',
    ]);
    assert.equal(state.outlier.ejections, 0);
  });

  test('maintenance forgets what was known, and takes neither heartbeats nor reports', () => {
    const { state, edges } = begin();
    state.heartbeat('pass', 0, 'x');
    state.liveTraffic(suspect, 0, 'x');
    state.setAdmin('maintenance', 1, 'x');
    state.heartbeat('fail', 2, 'refused');
    state.liveTraffic(eject, 2, 'refused');
    state.setAdmin('ready', 3, 'x');
    assert.deepEqual(edges.slice(2), [
      'admin ready>maintenance: suspect>maintenance',
      'check up>unknown: maintenance>maintenance',
      'outlier suspect>none: maintenance>maintenance',
      'admin maintenance>ready: maintenance>up',
    ]);
  });

  test('drain keeps the other axes moving behind it', () => {
    const { state, edges } = begin();
    state.setAdmin('drain', 0, 'x');
    state.heartbeat('fail', 1, 'x');
    state.setAdmin('ready', 2, 'x');
    assert.deepEqual(edges, [
      'admin ready>drain: up>drain',
      'check unknown>down: drain>drain',
      'admin drain>ready: drain>down',
    ]);
  });

  test('the same wish twice is one edge', () => {
    const { state, edges } = begin();
    state.setAdmin('drain', 0, 'x');
    state.setAdmin('drain', 1, 'x');
    state.setResolution('resolved', 'x');
    assert.equal(edges.length, 1);
  });

  test('an endpoint without an address is unresolved, and comes back as it was', () => {
    const { state, edges } = begin();
    state.setResolution('unresolved', 'NXDOMAIN');
    state.setResolution('resolved', 'x');
    assert.deepEqual(edges, [
      'resolution resolved>unresolved: up>unresolved',
      'resolution unresolved>resolved: unresolved>up',
    ]);
  });

  test('changed thresholds are no edge and begin the streak anew; other changes leave it', () => {
    const { state, edges } = begin();
    for (const event of ['pass', 'fail', 'fail'] as const) state.heartbeat(event, 0, 'x');
    state.retune({ ...SETTINGS, outlier: { ...SETTINGS.outlier, ejectionBaseMs: 5_000 } });
    assert.equal(state.check.counter, 2);
    state.retune({ ...SETTINGS, thresholds: { rise: 2, fall: 2 } });
    state.heartbeat('fail', 0, 'x');
    assert.equal(state.availability, 'up');
    assert.equal(edges.length, 1);
  });
});
