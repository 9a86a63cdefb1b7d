// A slow URL must not make its endpoint suspect: not beside fast requests, not again and again, and not in another worker's
// view. An endpoint that has stopped is still found, and being slow moves no hashed key. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY } from '../../core/availability.ts';
import { E_AVAILABILITY, E_LAST_SUCCESS, E_SUSPECT, SUSPICION, UPSTREAM } from '../../core/memory/layout.ts';
import { failureOf } from '../../core/failure.ts';
import { ForwardingBench, type PlayedAttempt, responseHead } from '../support/forwarding.ts';
import { snapshot, upstreamSnapshot } from '../support/snapshots.ts';

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  const settings = upstreamSnapshot({ balance: { kind: 'first' }, ...upstream });
  return new ForwardingBench(snapshot({ upstreams: [settings] }));
}

const suspicion = (bench: ForwardingBench, slot = 0): number =>
  bench.region.words[bench.region.endpointWord(slot) + E_SUSPECT]!;

function send(bench: ForwardingBench, method = 'GET'): PlayedAttempt {
  bench.request({ method });
  bench.last.events.onLease(true);
  return bench.last;
}

function respond(attempt: PlayedAttempt): void {
  attempt.events.onHead(responseHead(200));
  attempt.events.onEnd(null);
}

/** Fast requests, one every 10 ms, that take 2 ms each as far as the bench's clock can tell. */
function fast(bench: ForwardingBench, count: number): void {
  for (let index = 0; index < count; index++) {
    const attempt = send(bench);
    bench.advance(10);
    respond(attempt);
  }
}

/** Signals that made an endpoint suspect. */
function suspicions({ messages }: ForwardingBench): string[] {
  return messages.flatMap((message) => (message.kind === 'suspect' ? [message.signal] : []));
}

describe('slow requests', () => {
  test('of 300 ms beside fast ones raise no suspicion', () => {
    const bench = benchWith();
    fast(bench, 50);
    for (let round = 0; round < 20; round++) {
      const slow = [send(bench), send(bench), send(bench)];
      fast(bench, 30);
      for (const attempt of slow) respond(attempt);
      fast(bench, 40);
    }
    assert.equal(suspicion(bench), SUSPICION.none);
    assert.deepEqual(suspicions(bench), []);
  });

  test('one at a time raise no suspicion without any other request: one of 300 ms, of 5 s, of 35 s', () => {
    const bench = benchWith();
    fast(bench, 50);
    for (const ms of [300, 5000, 35_000]) {
      const slow = send(bench);
      bench.advance(ms);
      respond(slow);
    }
    assert.deepEqual(suspicions(bench), []);
  });

  test('that recur raise no suspicion, even several at a time: the endpoint is known to be that slow', () => {
    const bench = benchWith();
    fast(bench, 50);
    for (let round = 0; round < 5; round++) {
      const slow = Array.from({ length: round === 0 ? 1 : 3 }, () => send(bench));
      bench.advance(300);
      for (const attempt of slow) respond(attempt);
      bench.advance(400);
    }
    assert.deepEqual(suspicions(bench), []);
  });

  test('raise no suspicion while the endpoint answers another worker', () => {
    const bench = benchWith();
    fast(bench, 50);
    send(bench);
    send(bench);
    for (let ms = 0; ms < 1000; ms += 10) {
      bench.advance(10);
      bench.region.words[bench.region.endpointWord(0) + E_LAST_SUCCESS] = bench.nowMs;
    }
    assert.deepEqual(suspicions(bench), []);
  });
});

describe('an endpoint that stops', () => {
  test('is not suspect while no other endpoint answers either: the machine is slow', () => {
    const bench = benchWith();
    fast(bench, 50);
    send(bench);
    send(bench);
    bench.advance(500);
    assert.deepEqual(suspicions(bench), []);
    assert.deepEqual(new Set(bench.messages.map(({ kind }) => kind)), new Set(['silent']));
  });

  test('is suspect after a tenth of a second, for being slow', () => {
    const bench = benchWith();
    fast(bench, 50);
    send(bench);
    send(bench);
    bench.advance(30);
    bench.baselines.responded(1, bench.nowMs);
    bench.advance(100);
    assert.equal(suspicion(bench), SUSPICION.slow);
    assert.deepEqual(suspicions(bench), ['slow']);
  });

  test('is suspect for failing once a request fails', () => {
    const bench = benchWith();
    fast(bench, 50);
    send(bench);
    const last = send(bench);
    bench.advance(130);
    last.events.onFailure(failureOf('reset', true));
    assert.equal(suspicion(bench), SUSPICION.failure);
  });
});

test('a suspicion for being slow moves no hashed key; one for failing does', () => {
  const key = { kind: 'client-ip' } as const;
  const balance = { kind: 'consistent-hash', key, tableSize: 1021, seed: 1, boundedLoad: 0 } as const;
  const bench = benchWith({ balance });
  const addresses = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`);
  const slots = (): number[] =>
    addresses.map((peerAddress) => {
      bench.request({ method: 'POST' }, { peerAddress });
      const { slot } = bench.last;
      bench.last.answer();
      return slot;
    });
  const before = slots();
  const { region } = bench;
  const mark = (value: number): void => {
    region.words[region.endpointWord(1) + E_SUSPECT] = value;
    region.words[region.endpointWord(1) + E_AVAILABILITY] = AVAILABILITY.suspect;
    Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
  };
  mark(SUSPICION.slow);
  assert.deepEqual(slots(), before);
  mark(SUSPICION.failure);
  assert.ok(slots().every((slot) => slot !== 1));
});
