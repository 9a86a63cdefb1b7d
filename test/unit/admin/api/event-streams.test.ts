// Interval of the status in event streams, by the number of endpoints. Thread: main.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { EventFeed } from '../../../../admin/api/event-feed.ts';
import { EventStreams } from '../../../../admin/api/event-streams.ts';
import type { LiveReply } from '../../../../admin/api/reply-schemas.ts';
import { HealthEvents } from '../../../../health/record/health-events.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** A client that reads everything at once. */
function reader(): ServerResponse {
  return { writeHead: () => undefined, once: () => undefined, write: () => true, writableLength: 0 } as never;
}

for (const [endpoints, seconds] of [
  [3, 1],
  [1_000, 1],
  [1_001, 2],
  [4_000, 4],
] as const) {
  test(`a status of ${endpoints} endpoints is built once for all clients every ${seconds} s`, () => {
    const clock = new FakeClock();
    let built = 0;
    const live = (): LiveReply => ({ built: built++ }) as never;
    const feed = new EventFeed(new HealthEvents(1), 0);
    const streams = new EventStreams({ feed, timers: clock, live, endpointCount: () => endpoints });
    for (let i = 0; i < 2; i++) streams.open(new Set(['status']), undefined).stream(reader());
    assert.equal(built, 2, 'one at once for each');
    for (let i = 0; i < 8; i++) clock.advance(1_000);
    assert.equal(built - 2, 8 / seconds);
  });
}
