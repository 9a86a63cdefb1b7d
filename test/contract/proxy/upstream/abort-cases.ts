// Attempts that the exchange aborts, at every moment: the connection closes and no event follows. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { answer, hang, send } from '../../../support/scripted-origin.ts';
import type { EventName } from '../../../support/recorded-attempt.ts';
import { withBench, type TransportUnderTest } from '../../../support/transport-bench.ts';
import { openBlackhole } from '../../../support/blackhole.ts';

const INTERIM = 'HTTP/1.1 103 Early Hints\r\n\r\n';

export function abortCases(subject: TransportUnderTest): void {
  abortsByMoment(subject);
  abortsOfHeldAttempts(subject);
}

function abortsByMoment(subject: TransportUnderTest): void {
  for (const event of ['lease', 'body-wanted', 'interim', 'head', 'data'] satisfies EventName[]) {
    for (const moment of ['inside', 'behind'] as const) {
      test(`abort ${moment} the event ${event}`, () => abortAt(subject, event, moment));
    }
  }

  test('abort inside the last event leaves the connection alone', () =>
    withBench(subject, {}, async (bench) => {
      const attempt = bench.send({}, (it) => {
        it.react = (event) => {
          if (event === 'end') it.handle.abort();
        };
      });
      assert.equal((await attempt.done).outcome, 'ok');
      await bench.idled();
      assert.equal((await bench.send().done).isReused, true);
    }));

  test('abort right after send opens no connection', () =>
    withBench(subject, {}, async (bench) => {
      const attempt = bench.send();
      attempt.handle.abort();
      assert.equal((await bench.send().done).outcome, 'ok');
      assert.equal(bench.origin.requests.length, 1);
      assert.deepEqual(attempt.log, []);
      await bench.idled();
    }));

  test('abort while connecting cancels the connection', async () => {
    const blackhole = await openBlackhole();
    try {
      await withBench(subject, { endpoint: { port: blackhole.port } }, async (bench) => {
        const attempt = bench.send();
        await nextTurn();
        attempt.handle.abort();
        await nextTurn();
        assert.deepEqual(attempt.log, []);
        assert.equal(bench.lane('connectionsOpen'), 0);
      });
    } finally {
      await blackhole.close();
    }
  });
}

function abortsOfHeldAttempts(subject: TransportUnderTest): void {
  test('abort of an attempt whose client does not read', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(`HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(1_000_000)}`), hang());
      const attempt = bench.send({}, (it) => {
        it.takesData = false;
      });
      await attempt.saw('data');
      attempt.handle.abort();
      await (await bench.origin.connection(0)).gone;
      assert.equal(attempt.log.at(-1), 'data');
    }));

  test('an attempt that ended while its client does not read leaves its connection to the next one', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(answer('hello')));
      const slow = bench.send({}, (it) => {
        it.takesData = false;
      });
      await slow.saw('data');
      await nextTurn();
      bench.origin.play(send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok'), () => slow.handle.abort(), send('ok'));
      assert.equal((await bench.send().done).body, 'okok');
    }));
}

async function abortAt(subject: TransportUnderTest, event: EventName, moment: 'inside' | 'behind'): Promise<void> {
  await withBench(subject, {}, async (bench) => {
    const isSent = event !== 'lease' && event !== 'body-wanted';
    if (isSent) bench.origin.play(send(`${INTERIM}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello`), hang());
    const attempt = bench.send({ method: 'POST', bodyLength: 6 }, (it) => {
      it.react = (now) => {
        if (now === 'body-wanted' && isSent) it.handle.sendBody(Buffer.from('abc'));
        if (now === event && moment === 'inside') it.handle.abort();
      };
    });
    await attempt.saw(event);
    if (moment === 'behind') attempt.handle.abort();
    await (await bench.origin.connection(0)).gone;
    const { length } = attempt.log;
    await nextTurn();
    assert.equal(attempt.log.length, length);
    assert.equal(attempt.failure, null);
    if (moment === 'inside') assert.equal(attempt.log.at(-1), event);
    assert.equal((await bench.send().done).outcome, 'ok');
  });
}
