// Attempts that start, pause and end inside each other's events: undici's parser may not be re-entered. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, seededRandom, type Random } from '../../../../core/random.ts';
import { UNKNOWN_LENGTH } from '../../../../core/head.ts';
import { UndiciTransport } from '../../../../proxy/upstream/undici/undici-transport.ts';
import type { RecordedAttempt } from '../../../support/recorded-attempt.ts';
import { answer, bodyRead, fin, reset, send } from '../../../support/scripted-origin.ts';
import { withBench, type TransportBench, type TransportUnderTest } from '../../../support/transport-bench.ts';

const UNDICI: TransportUnderTest = {
  name: 'undici',
  make: (parts) => new UndiciTransport(parts),
};

test('a request that is sent inside the last event of another one is served', () =>
  withBench(UNDICI, {}, async (bench) => {
    const attempts: RecordedAttempt[] = [];
    const next = (): void => {
      const attempt = bench.send({}, (it) => {
        it.react = (event) => {
          if (event === 'end' && attempts.length < 50) next();
        };
      });
      attempts.push(attempt);
    };
    next();
    for (let index = 0; index < 50; index += 1) assert.equal((await attempts[index]!.done).outcome, 'ok');
    assert.equal(bench.origin.requests.length, 50);
  }));

test('an attempt that is resumed inside the data event of another one continues', () =>
  withBench(UNDICI, {}, async (bench) => {
    const body = 'x'.repeat(500_000);
    bench.origin.otherwise = [bodyRead(), send(answer(body))];
    const first = bench.send({}, (it) => {
      it.takesData = false;
    });
    await first.saw('data');
    const second = bench.send({}, (it) => {
      it.react = (event) => {
        if (event === 'data') first.handle.resume();
      };
    });
    first.takesData = true;
    assert.equal((await second.done).bodyBytes, body.length);
    assert.equal((await first.done).bodyBytes, body.length);
  }));

test('an attempt that is aborted inside the data event of another one ends alone', () =>
  withBench(UNDICI, {}, async (bench) => {
    bench.origin.otherwise = [bodyRead(), send(answer('x'.repeat(500_000)))];
    const first = bench.send({}, (it) => {
      it.takesData = false;
    });
    await first.saw('data');
    const second = bench.send({}, (it) => {
      it.react = (event) => {
        if (event === 'data') first.handle.abort();
      };
    });
    assert.equal((await second.done).outcome, 'ok');
    assert.equal(first.log.at(-1), 'data');
  }));

test('an error that the exchange throws in an event fails its own attempt only', () =>
  withBench(UNDICI, {}, async (bench) => {
    const attempt = bench.send({}, (it) => {
      it.react = (event) => {
        if (event === 'head') throw new RangeError('a bug');
      };
    });
    assert.equal((await attempt.done).outcome, 'internal sent');
    assert.equal(attempt.failure!.cause!.message, 'a bug');
    assert.equal((await bench.send().done).outcome, 'ok');
  }));

test('an error that the exchange throws in the last event is reported outside', () =>
  withBench(UNDICI, {}, async (bench) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    process.setUncaughtExceptionCaptureCallback(resolve);
    try {
      bench.send({}, (it) => {
        it.react = (event) => {
          if (event === 'end') throw new RangeError('a bug');
        };
      });
      assert.deepEqual(await promise, new RangeError('a bug'));
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
  }));

test('hundreds of mixed attempts at once all end, each once, and no connection stays open', () =>
  withBench(UNDICI, {}, async (bench) => {
    const random = seededRandom(5);
    const ends = [
      [send(answer())],
      [fin()],
      [reset()],
      [send('HTTP/1.1 200 OK\r\n\r\nx'), fin()],
      [send('junk\r\n\r\n')],
    ];
    bench.origin.otherwise = [(socket, request) => playOne(ends[randomBelow(random, ends.length)]!, socket, request)];
    const attempts = Array.from({ length: 300 }, () => randomAttempt(bench, random));
    for (const attempt of attempts) {
      if (attempt !== null) await attempt.done;
    }
    await bench.idled();
    bench.transport.dropIdle(bench.endpoint.slot);
    await bench.idled();
    assert.equal(bench.lane('connectionsOpen'), 0);
    assert.equal(bench.lane('connectionsIdle'), 0);
    for (const attempt of attempts) {
      const last = attempt?.log.filter((event) => event === 'end' || event === 'failure') ?? ['none'];
      assert.equal(last.length, 1);
    }
  }));

async function playOne(steps: ReturnType<typeof send>[], ...args: Parameters<ReturnType<typeof send>>): Promise<void> {
  for (const step of steps) await step(...args);
}

/** Null for aborted attempts, which emit no event. */
function randomAttempt(bench: TransportBench, random: Random): RecordedAttempt | null {
  const choice = randomBelow(random, 100) / 100;
  if (choice < 0.4) return bench.send();
  if (choice < 0.7) return bench.sendWithBody('hello', { bodyLength: choice < 0.55 ? 5 : UNKNOWN_LENGTH });
  if (choice < 0.8) return bench.send({ fields: ['X-A', 'a\nb'] });
  const attempt = bench.send({ mustUseFresh: choice < 0.9 });
  setTimeout(() => attempt.handle.abort(), randomBelow(random, 5));
  return null;
}
