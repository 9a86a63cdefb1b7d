// The ring of state changes. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthEvents, type HealthEvent } from '../../../../health/record/health-events.ts';

function eventAt(at: number): HealthEvent {
  const who = { upstream: 'u', endpoint: 'e' };
  return { at, ...who, axis: 'check', from: 'up', to: 'down', detector: 'heartbeat', cause: 'c', availability: 'down' };
}

test('keeps the newest, oldest first', () => {
  const events = new HealthEvents(3);
  for (const at of [1, 2]) events.add(eventAt(at));
  assert.deepEqual(
    events.list().map(({ at }) => at),
    [1, 2],
  );
  for (const at of [3, 4, 5, 6, 7]) events.add(eventAt(at));
  assert.deepEqual(
    events.list().map(({ at }) => at),
    [5, 6, 7],
  );
});

test('calls subscribers for later events until they unsubscribe', () => {
  const events = new HealthEvents(3);
  const received: number[] = [];
  events.add(eventAt(1));
  const leave = events.subscribe(({ at }) => received.push(at));
  events.add(eventAt(2));
  leave();
  events.add(eventAt(3));
  assert.deepEqual(received, [2]);
});
