// Values of the status that depend on clocks. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveStatus } from '../../../../admin/api/live-status.ts';
import { StatusView } from '../../../../admin/api/status-view.ts';
import { TrafficWindow } from '../../../../admin/metrics/traffic-window.ts';
import { FakeContext, STARTED_AT } from '../fake-context.ts';

for (const [direction, stepMs] of [
  ['back', -3_600_000],
  ['forward', 3_600_000],
] as const) {
  test(`the uptime keeps counting when wall time jumps ${direction}`, () => {
    const context = new FakeContext();
    const traffic = new TrafficWindow(context);
    const view = new StatusView(context, traffic);
    context.clock.advance(90_000);
    context.clock.stepWall(stepMs);
    const status = view.status();
    assert.deepEqual([status.uptimeSeconds, status.startedAt], [90, new Date(STARTED_AT).toISOString()]);
    const live = liveStatus(context, traffic, view);
    assert.deepEqual([live.uptimeSeconds, live.at], [90, new Date(STARTED_AT + 90_000 + stepMs).toISOString()]);
  });
}
