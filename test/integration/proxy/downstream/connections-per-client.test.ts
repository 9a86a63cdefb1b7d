// limits.connectionsPerClient: a client at its limit makes room by its own connections. Both paths, and HTTP/2.
// Thread: main.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { Bench, type BenchOptions } from '../../../contract/proxy/downstream/bench.ts';
import type { ScriptedExchange } from '../../../contract/proxy/downstream/scripted-starter.ts';
import { sharedParts } from '../../../support/http1-parts.ts';
import { RawClient, within } from '../../../support/raw-client.ts';
import { endWithTest } from '../../../support/http2-session.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

async function benchOf(t: TestContext, isFast: boolean, options: BenchOptions = {}) {
  const fast = isFast ? { fast: sharedParts() } : {};
  const bench = await new Bench({ limits: { connectionsPerClient: 2 }, ...fast, ...options }).start();
  const held: ScriptedExchange[] = [];
  bench.starter.answerAll((exchange) => {
    if (exchange.head.target === '/held') held.push(exchange);
    else exchange.answer('here');
  });
  t.after(() => bench.stop());
  const open = (localAddress = '127.0.0.1'): RawClient => {
    const client = new RawClient(connect({ port: bench.port, host: '127.0.0.1', localAddress, allowHalfOpen: true }));
    t.after(() => client.destroy());
    return client;
  };
  const served = async (localAddress?: string): Promise<RawClient> => {
    const client = open(localAddress);
    client.send(get('/'));
    assert.equal((await client.readResponse()).body, 'here');
    return client;
  };
  const busy = async (): Promise<RawClient> => {
    const before = held.length;
    const client = open();
    client.send(get('/held'));
    while (held.length === before) await new Promise((resolve) => setImmediate(resolve));
    return client;
  };
  return { bench, held, open, served, busy };
}

for (const isFast of [true, false]) {
  describe(`fastPath: ${isFast}`, () => {
    test('the oldest connection of the client without a request in progress is closed for a new one', async (t) => {
      const { bench, held, served, busy } = await benchOf(t, isFast);
      const first = await busy();
      const second = await served();
      const other = await served('127.0.0.2');
      const third = await served();
      await second.whenEnded();
      assert.deepEqual([bench.count('clientConnectionsEvicted'), bench.count('connectionsRefused')], [1, 0]);
      for (const client of [other, third]) {
        client.send(get('/'));
        assert.equal((await client.readResponse()).body, 'here');
      }
      held[0]!.answer('held');
      assert.equal((await first.readResponse()).body, 'held');
    });

    test('where all have requests in progress the new one is refused, until one closes', async (t) => {
      const { bench, open, served, busy } = await benchOf(t, isFast);
      const first = await busy();
      await busy();
      await open().whenEnded();
      assert.deepEqual([bench.count('clientConnectionsRefused'), bench.count('connectionsRefused')], [1, 1]);
      await served('127.0.0.2');
      first.reset();
      while (bench.openConnections > 2) await new Promise((resolve) => setTimeout(resolve, 2));
      await served();
      assert.equal(bench.count('clientConnectionsEvicted'), 0);
    });

    test('an HTTP/2 connection without streams is closed with GOAWAY', async (t) => {
      const { bench, served } = await benchOf(t, isFast, {
        listener: { http2: true },
        limits: { connectionsPerClient: 1 },
      });
      const session = connectHttp2(`http://127.0.0.1:${bench.port}`);
      endWithTest(t, session);
      const goaway = once(session, 'goaway');
      const stream = session.request({ ':path': '/' });
      await within(once(stream.resume(), 'end'), 'the response');
      await served();
      const [code] = await within(goaway, 'GOAWAY');
      assert.equal(code, 0);
      assert.equal(bench.count('clientConnectionsEvicted'), 1);
    });
  });
}

test('a trusted proxy connects for many clients, and has no limit', async (t) => {
  const { bench, served } = await benchOf(t, true, { listener: { trustedProxies: ['127.0.0.1/32'] } });
  for (let count = 0; count < 4; count += 1) await served();
  assert.equal(bench.openConnections, 4);
});
