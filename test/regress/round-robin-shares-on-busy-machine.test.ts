// Round robin gives exact shares on a busy machine. Stalls of the whole machine made endpoints suspect one after the
// other, so that weights of 1, 2 and 3 got 1040, 1843 and 3117 of 6,000 requests. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForwardingBench, type PlayedAttempt } from '../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const STALL_EVERY = 100;

test('stalls of the whole machine change no share', () => {
  const endpoints = [1, 2, 3].map((weight, slot) => endpointSnapshot(slot, { weight }));
  const bench = new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ endpoints })] }));
  const counts = [0, 0, 0];
  let waiting: PlayedAttempt[] = [];
  for (let sent = 0; sent < 6_000; sent++) {
    bench.request();
    counts[bench.last.slot]!++;
    bench.last.events.onLease(true);
    waiting.push(bench.last);
    if (waiting.length < 12) continue;
    // Twelve in flight; now and then nothing is answered for 400 ms.
    bench.advance(sent % STALL_EVERY < 12 ? 400 : 10);
    for (const attempt of waiting) attempt.answer();
    waiting = [];
  }
  assert.deepEqual(counts, [1_000, 2_000, 3_000]);
});
