// Idle client connections used all descriptors of the process, and requests failed because none was left for a connection to
// an endpoint. Clients have a share now; at it, idle connections make room for new ones. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { FRAME, frame, PREFACE } from '../support/http2-frames.ts';
import { sharedParts } from '../support/http1-parts.ts';
import { eventually } from '../support/fairlead.ts';
import { RawClient } from '../support/raw-client.ts';

/** Four of them are for clients. */
const OPEN_FILES = 16;
const SHARE = 4;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HALF = 'GET / HTTP/1.1\r\nHo';

/** A bench with one request in progress. */
async function busyBench(t: TestContext, isFast: boolean, http2 = false) {
  const fast = isFast ? { fast: sharedParts() } : {};
  const bench = await new Bench({ ...fast, openFiles: OPEN_FILES, listener: { http2 } }).start();
  t.after(() => bench.stop());
  const open = async (bytes: string | Buffer): Promise<RawClient> => {
    const client = await RawClient.connect({ port: bench.port });
    t.after(() => client.destroy());
    client.send(bytes);
    return client;
  };
  const busy = await open(GET);
  const held = await bench.starter.next();
  bench.starter.answerAll((exchange) => exchange.answer('here'));
  const assertServed = async (): Promise<void> => {
    assert.equal((await (await open(GET)).readResponse()).body, 'here');
  };
  return { bench, open, busy, held, assertServed };
}

for (const isFast of [true, false]) {
  describe(`at the share of clients, fastPath: ${isFast}`, () => {
    test('the oldest idle connection makes room, and a request in progress goes on', async (t) => {
      const { bench, open, busy, held, assertServed } = await busyBench(t, isFast);
      const idle: RawClient[] = [];
      while (idle.length < SHARE - 1) {
        const client = await open(GET);
        await client.readResponse();
        idle.push(client);
      }
      await assertServed();
      await idle[0]!.whenEnded();
      assert.equal(bench.openConnections, SHARE);
      assert.deepEqual([bench.count('processConnectionsEvicted'), bench.count('connectionsRefused')], [1, 0]);
      held.answer('held');
      assert.equal((await busy.readResponse()).body, 'held');
    });

    test('a connection without a whole head makes room before idle ones', async (t) => {
      const { bench, open, assertServed } = await busyBench(t, isFast);
      const idle = await open(GET);
      await idle.readResponse();
      const half = await open(HALF);
      const next = await open(GET);
      await next.readResponse();
      await assertServed();
      await half.whenEnded();
      idle.send(GET);
      assert.equal((await idle.readResponse()).body, 'here', 'the idle one is still open');
      assert.equal(bench.count('processConnectionsEvicted'), 1);
    });

    test('a new connection is refused where all have a request in progress', async (t) => {
      const { bench, open } = await busyBench(t, isFast);
      let inProgress = 1;
      bench.starter.answerAll(() => (inProgress += 1));
      for (let count = 1; count < SHARE; count++) await open(GET);
      await eventually(() => inProgress === SHARE, 'a request on each connection');
      const refused = await open('');
      await refused.whenEnded();
      assert.deepEqual([bench.openConnections, bench.count('connectionsRefused')], [SHARE, 1]);
    });
  });
}

test('an idle HTTP/2 connection makes room too', async (t) => {
  const { open, assertServed } = await busyBench(t, true, true);
  const hello = Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0)]);
  const http2 = await open(hello);
  await http2.readBytes(9);
  for (let count = 2; count < SHARE; count++) await assertServed();
  await assertServed();
  await http2.whenEnded();
});
