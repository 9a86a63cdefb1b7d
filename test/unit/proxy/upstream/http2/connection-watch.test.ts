// Timers of a connection to an HTTP/2 endpoint: SETTINGS, their acknowledgement, PING. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '../../../../../core/timer-wheel.ts';
import { ConnectionWatch } from '../../../../../proxy/upstream/http2/connection-watch.ts';
import type { Http2Parts } from '../../../../../proxy/upstream/http2/http2-parts.ts';

const TICK_MS = 5;

function bench() {
  let nowMs = 0;
  const wheel = new TimerWheel(TICK_MS, nowMs);
  const log: string[] = [];
  const parts = { wheel, turn: { nowMs: () => nowMs } } as unknown as Http2Parts;
  const watched = {
    isIdle: true,
    onReplyTimeout: (owed: string) => void log.push(owed),
    onExpired: () => void log.push('expired'),
    sendPing: () => void log.push('ping'),
  };
  const watch = new ConnectionWatch(parts, { replyMs: 1000, keepAliveMs: 1_000_000 }, watched);
  const pass = (ms: number) => {
    nowMs += ms;
    wheel.advance(nowMs);
  };
  return { watch, log, pass };
}

test('SETTINGS are due within the time of a connection', () => {
  const { watch, log, pass } = bench();
  watch.begin();
  pass(1100);
  assert.deepEqual(log, ['SETTINGS']);
});

test('an acknowledgement of SETTINGS is due within twenty seconds', () => {
  const { watch, log, pass } = bench();
  watch.begin();
  watch.started(1_000_000);
  pass(19_000);
  assert.deepEqual(log, []);
  pass(1100);
  assert.deepEqual(log, ['SETTINGS acknowledgement']);
});

test('an acknowledged connection owes nothing, and a stopped one neither', () => {
  for (const end of ['acknowledged', 'stop'] as const) {
    const { watch, log, pass } = bench();
    watch.begin();
    watch.started(1_000_000);
    watch[end]();
    pass(60_000);
    assert.deepEqual(log, [], end);
  }
});

test('an answer to a PING is due once there is doubt', () => {
  const { watch, log, pass } = bench();
  watch.begin();
  watch.started(1_000_000);
  watch.acknowledged();
  pass(600);
  watch.doubt(0);
  pass(1100);
  assert.deepEqual(log, ['ping', 'PING']);
});
