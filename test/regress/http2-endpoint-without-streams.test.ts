// An endpoint whose SETTINGS permit no streams (SETTINGS_MAX_CONCURRENT_STREAMS of 0, while it is overloaded) got one new
// connection after the other while a request waited. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withHttp2Bench } from '../support/http2-bench.ts';

const MAX_CONCURRENT_STREAMS = 3;

test('requests wait for SETTINGS that permit streams, on the connection that there is', () =>
  withHttp2Bench(
    async (bench, origin) => {
      const attempts = [1, 2, 3].map(() => bench.send());
      await origin.until(() => origin.connections.length > 0);
      // Each further connection would take a round trip of loopback.
      await sleep(100);
      assert.equal(origin.connections.length, 1);
      assert.equal(origin.requests.length, 0);
      origin.connections[0]!.settings(MAX_CONCURRENT_STREAMS, 10);
      for (const attempt of attempts) assert.equal((await attempt.done).outcome, 'ok');
      assert.equal(origin.connections.length, 1);
    },
    {},
    (origin) => {
      origin.firstSettings = [MAX_CONCURRENT_STREAMS, 0];
    },
  ));
