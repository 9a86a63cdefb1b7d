// Ends of exchanges and connections on every downstream adaptor: cuts, clients that abort, timeouts, drains.
// Thread: main.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Bench } from './bench.ts';
import { type AdaptorUnderTest, BIG_BYTES, played, untilStill } from './cases.ts';
import { type ContractCall, type ContractClient, readAll } from './contract-client.ts';
import { localReply, responseHead, type ScriptedExchange } from './scripted-starter.ts';

function cutCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: cuts`, () => {
    played(adaptor, 'a cut before the head is an error to the client', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.cut();
      await assert.rejects(call.response);
      assert.deepEqual(exchange.events, []);
    });

    for (const [name, length] of [
      ['known', 1000],
      ['unknown', undefined],
    ] as const) {
      played(adaptor, `a body of ${name} length that is cut never ends cleanly`, async (bench, client) => {
        const call = client.ask({});
        const exchange = await bench.starter.next();
        exchange.client.sendHead(responseHead(length === undefined ? {} : { length }), []);
        exchange.client.sendData(Buffer.from('a part'));
        const response = await call.response;
        exchange.client.cut();
        await assert.rejects(readAll(response));
        assert.deepEqual(exchange.events, []);
      });
    }
  });
}

function brokenResponseCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: responses that are not as declared`, () => {
    played(adaptor, 'a body that ends short of its length is cut, and the exchange ends', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ length: 10 }), []);
      exchange.client.sendData(Buffer.from('short'));
      const response = await call.response;
      exchange.client.sendEnd(null);
      await assert.rejects(readAll(response));
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(adaptor, 'a body that goes beyond its length is cut', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ length: 4 }), []);
      exchange.client.sendData(Buffer.from('HTTP/1.1 200 split'));
      await assert.rejects(async () => readAll(await call.response));
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(adaptor, 'calls after the end do nothing', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.answer('whole');
      exchange.client.sendHead(responseHead({ status: 500 }), []);
      exchange.client.sendData(Buffer.from('more'));
      exchange.client.sendLocalReply(localReply(502, 'late'));
      exchange.client.sendEnd(null);
      assert.equal(await readAll(await call.response), 'whole');
      await exchange.until('flushed');
      exchange.client.cut();
      exchange.client.resumeBody();
      const next = client.ask({});
      (await bench.starter.next()).answer('next');
      assert.equal(await readAll(await next.response), 'next');
      assert.deepEqual(exchange.events, ['flushed']);
    });
  });
}

function goneCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: clients that abort`, () => {
    played(adaptor, 'before a response', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      call.abort();
      await exchange.until('gone:closed');
      exchange.client.cut();
      exchange.answer();
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(adaptor, 'within their request body', async (bench, client) => {
      const call = client.ask({ method: 'POST', fields: ['content-length', '100'], isOpen: true });
      const exchange = await bench.starter.next();
      exchange.client.resumeBody();
      call.upload.write('a part');
      await exchange.untilTrue(() => exchange.bodyBytes === 6, 'the part');
      call.abort();
      await exchange.until('gone:closed');
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(adaptor, 'within the response', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead(), []);
      exchange.client.sendData(Buffer.from('a part'));
      (await call.response).stream.on('error', () => undefined);
      call.abort();
      await exchange.until('gone:closed');
      assert.equal(exchange.client.sendData(Buffer.from('more')), true);
      exchange.client.sendEnd(null);
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(adaptor, 'while they read nothing of a large response', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ length: BIG_BYTES }), []);
      while (exchange.client.sendData(Buffer.alloc(65_536)));
      (await call.response).stream.on('error', () => undefined);
      call.abort();
      await exchange.until('gone:closed');
      assert.deepEqual(exchange.gone, ['closed']);
    });
  });
}

function patienceCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: timeouts`, () => {
    played(
      adaptor,
      'a stalled body is reported once, and can still be answered',
      async (bench, client) => {
        const call = client.ask({ method: 'POST', fields: ['content-length', '100'], isOpen: true });
        const exchange = await bench.starter.next();
        exchange.onGone = () => exchange.client.sendLocalReply(localReply(408, 'stalled', true));
        exchange.client.resumeBody();
        call.upload.write('a part');
        const response = await call.response;
        assert.deepEqual([response.status, await readAll(response)], [408, 'stalled']);
        await exchange.until('flushed');
        assert.deepEqual(exchange.events, ['gone:body-timeout', 'flushed']);
      },
      { timeouts: { bodyIdleMs: 100 } },
    );

    played(
      adaptor,
      'a body that is paused by us does not stall',
      async (bench, client) => {
        const call = client.ask({ method: 'POST', fields: ['content-length', '4'], isOpen: true });
        const exchange = await bench.starter.next();
        exchange.client.resumeBody();
        exchange.client.pauseBody();
        let sweeps = 0;
        await untilStill(() => (sweeps++ < 20 ? sweeps : 0));
        exchange.client.resumeBody();
        call.upload.end('body');
        await exchange.until('body-end');
        exchange.answer();
        assert.equal((await call.response).status, 200);
        assert.deepEqual(exchange.gone, []);
      },
      { timeouts: { bodyIdleMs: 100 } },
    );

    played(
      adaptor,
      'a client that reads nothing is ended',
      async (bench, client) => {
        const call = client.ask({});
        const exchange = await bench.starter.next();
        exchange.client.sendHead(responseHead({ length: BIG_BYTES }), []);
        const push = (): void => {
          while (exchange.client.sendData(Buffer.alloc(65_536)) && exchange.gone.length === 0);
        };
        exchange.onClientDrain = push;
        (await call.response).stream.on('error', () => undefined);
        push();
        await exchange.until('gone:send-timeout');
        assert.deepEqual(exchange.gone, ['send-timeout']);
        await assert.rejects(async () => readAll(await call.response));
      },
      { timeouts: { sendIdleMs: 200 } },
    );
  });
}

function earlyResponseCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: responses before the end of the request`, () => {
    played(adaptor, 'the rest of a short body is dropped, and the connection goes on', async (bench, client) => {
      const call = client.ask({ method: 'POST', fields: ['content-length', '1000'], isOpen: true });
      const exchange = await bench.starter.next();
      exchange.answer('enough');
      assert.equal(await readAll(await call.response), 'enough');
      if (!call.upload.destroyed) call.upload.end(Buffer.alloc(1000));
      await exchange.until('flushed');
      assert.equal(exchange.bodyBytes, 0);
      const next = client.ask({ path: '/next' });
      const second = await bench.starter.next();
      assert.equal(second.head.target, '/next');
      second.answer('next');
      assert.equal(await readAll(await next.response), 'next');
    });

    played(adaptor, 'a client that sends much more still gets the whole response', async (bench, client) => {
      const call = client.ask({ method: 'POST', fields: ['content-length', String(BIG_BYTES)], isOpen: true });
      call.upload.on('error', () => undefined);
      const exchange = await bench.starter.next();
      call.upload.write(Buffer.alloc(4 * 1024 * 1024));
      exchange.client.sendLocalReply(localReply(413, 'too large', true));
      const response = await call.response;
      assert.deepEqual([response.status, await readAll(response)], [413, 'too large']);
      assert.deepEqual(exchange.gone, []);
    });
  });
}

/** A response that is complete while its body is kept. */
async function answerEarly(bench: Bench, client: ContractClient): Promise<[ContractCall, ScriptedExchange]> {
  const call = client.ask({ method: 'POST', fields: ['content-length', '6'], isOpen: true });
  call.upload.on('error', () => undefined);
  const exchange = await bench.starter.next();
  exchange.client.resumeBody();
  call.upload.write('one');
  await exchange.untilTrue(() => exchange.bodyBytes === 3, 'the first part');
  exchange.client.keepBody!();
  exchange.answer('early');
  assert.equal(await readAll(await call.response), 'early');
  return [call, exchange];
}

/** Only for adaptors that keep bodies. */
function keptBodyCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: request bodies that go on after the response`, () => {
    played(adaptor, 'the rest is received, and the connection serves the next request', async (bench, client) => {
      const [call, exchange] = await answerEarly(bench, client);
      exchange.client.pauseBody();
      call.upload.end('two');
      exchange.client.resumeBody();
      await exchange.until('body-end');
      assert.equal(exchange.body, 'onetwo');
      assert.deepEqual(exchange.events, ['body-end']);
      exchange.client.releaseBody!();
      await exchange.until('flushed');
      const next = client.ask({ path: '/next' });
      (await bench.starter.next()).answer('next');
      assert.equal(await readAll(await next.response), 'next');
      assert.deepEqual(exchange.events, ['body-end', 'flushed']);
    });

    played(adaptor, 'a body that is released within is dropped', async (bench, client) => {
      const [call, exchange] = await answerEarly(bench, client);
      exchange.client.releaseBody!();
      await exchange.until('flushed');
      call.upload.end('two');
      const next = client.ask({ path: '/next' });
      (await bench.starter.next()).answer('next');
      assert.equal(await readAll(await next.response), 'next');
      assert.deepEqual([exchange.body, exchange.events], ['one', ['flushed']]);
    });

    played(adaptor, 'a client that aborts is reported', async (bench, client) => {
      const [call, exchange] = await answerEarly(bench, client);
      // A reset that ends the upload first, as close() of node:http2 does, aborts the process: Http2Stream::OnTrailers.
      call.upload.destroy();
      await exchange.until('gone:closed');
      exchange.client.releaseBody!();
      assert.deepEqual(exchange.events, ['gone:closed']);
    });

    played(
      adaptor,
      'a stalled body is reported',
      async (bench, client) => {
        const [, exchange] = await answerEarly(bench, client);
        await exchange.until('gone:body-timeout');
        exchange.client.cut();
        assert.deepEqual(exchange.events, ['gone:body-timeout']);
      },
      { timeouts: { bodyIdleMs: 100 } },
    );
  });
}

function drainCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: drains`, () => {
    played(
      adaptor,
      'the exchange in progress is completed, and then the connection is closed',
      async (bench, client) => {
        const call = client.ask({});
        const exchange = await bench.starter.next();
        assert.deepEqual([bench.openConnections, bench.count('connectionsOpen')], [1, 1]);
        const drained = bench.downstream.drain(60_000);
        exchange.answer('last');
        assert.equal(await readAll(await call.response), 'last');
        await drained;
        assert.deepEqual([bench.openConnections, bench.count('connectionsOpen')], [0, 0]);
        assert.equal(bench.count('connectionsAccepted'), 1);
      },
    );

    played(adaptor, 'an idle connection ends without waiting', async (bench, client) => {
      const call = client.ask({});
      (await bench.starter.next()).answer();
      await readAll(await call.response);
      await bench.downstream.drain(60_000);
      assert.equal(bench.openConnections, 0);
    });

    played(adaptor, 'the deadline cuts open exchanges', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead(), []);
      exchange.client.sendData(Buffer.from('a part'));
      const response = await call.response;
      const cut = assert.rejects(readAll(response));
      await bench.downstream.drain(50);
      await cut;
      await exchange.until('gone:closed');
    });
  });
}

export function endingCases(adaptor: AdaptorUnderTest): void {
  cutCases(adaptor);
  brokenResponseCases(adaptor);
  goneCases(adaptor);
  patienceCases(adaptor);
  earlyResponseCases(adaptor);
  if (adaptor.keepsBodies) keptBodyCases(adaptor);
  drainCases(adaptor);
}
