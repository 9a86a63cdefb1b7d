// Contract of every downstream adaptor: heads, bodies, back-pressure. Run against each of them; cases-endings.ts has the
// ends of exchanges and connections. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_LENGTH } from '../../../../core/head.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { type ContractClient, readAll } from './contract-client.ts';
import { localReply, responseHead } from './scripted-starter.ts';

/** An adaptor under test. */
export interface AdaptorUnderTest {
  readonly name: string;
  /** `version` of its heads. */
  readonly version: string;
  /** Whether its client sides keep request bodies beyond the response. */
  readonly keepsBodies: boolean;
  open(options?: BenchOptions): Promise<{ bench: Bench; client: ContractClient }>;
}

/** Far more than all buffers on the way hold together. */
export const BIG_BYTES = 48 * 1024 * 1024;
/** More than those buffers on loopback: sockets (up to 6 MiB each way), streams, HTTP/2 windows. */
const BUFFERS_BYTES = 24 * 1024 * 1024;

type Played = (bench: Bench, client: ContractClient) => Promise<void>;

/** A test with an open adaptor, which is closed whatever comes of it. */
export function played(adaptor: AdaptorUnderTest, name: string, play: Played, options: BenchOptions = {}): void {
  test(name, async () => {
    const { bench, client } = await adaptor.open(options);
    try {
      await play(bench, client);
    } finally {
      client.close();
      await bench.stop();
    }
  });
}

function requestHeadCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: request heads`, () => {
    played(adaptor, 'a head arrives as sent, end-to-end fields in their order', async (bench, client) => {
      const fields = ['x-one', '1', 'cookie', 'a=1', 'te', 'trailers', 'x-two', '2', 'x-one', '3'];
      const call = client.ask({ path: '/a%20b?c=d&e', fields });
      const { head, client: side } = await bench.starter.next();
      assert.deepEqual([head.method, head.target, head.authority], ['GET', '/a%20b?c=d&e', 'example.test']);
      assert.deepEqual([head.version, head.bodyLength], [adaptor.version, 0]);
      const kept = head.endToEndFields();
      const lower = kept.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text));
      // Cookie crumbs are joined (RFC 9113 section 8.2.3): the field has no place of its own.
      const cookieAt = lower.indexOf('cookie');
      assert.deepEqual(lower.splice(cookieAt, 2), ['cookie', 'a=1']);
      assert.deepEqual(lower, ['x-one', '1', 'x-two', '2', 'x-one', '3']);
      assert.equal(head.field('x-one'), '1, 3');
      assert.equal(head.field('host'), 'example.test');
      assert.equal(head.field('te'), 'trailers');
      assert.equal(head.field('absent'), undefined);
      side.sendLocalReply(localReply(200, 'ok'));
      assert.equal((await call.response).status, 200);
    });

    played(adaptor, "the connection's facts are given", async (bench, client) => {
      client.ask({});
      const { connection } = (await bench.starter.next()).client;
      assert.deepEqual([connection.listenerIndex, connection.listenerName], [0, 'web']);
      assert.deepEqual([connection.peerAddress, connection.localPort], ['127.0.0.1', bench.port]);
      assert.ok(connection.peerPort > 0);
      assert.equal(connection.isTls, bench.listener.tls !== null);
      assert.equal(connection.isTrusted, false);
    });
  });
}

function requestBodyCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: request bodies`, () => {
    played(adaptor, 'a request without body has no body events', async (bench, client) => {
      const call = client.ask({ method: 'DELETE' });
      const exchange = await bench.starter.next();
      exchange.client.resumeBody();
      exchange.answer();
      await call.response;
      await exchange.until('flushed');
      assert.deepEqual(exchange.events, ['flushed']);
    });

    played(
      adaptor,
      'a body of declared length is held until it is resumed, and arrives whole',
      async (bench, client) => {
        const call = client.ask({ method: 'POST', fields: ['content-length', '11'], body: 'hello world' });
        const exchange = await bench.starter.next();
        assert.equal(exchange.head.bodyLength, 11);
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(exchange.bodyBytes, 0);
        exchange.client.resumeBody();
        await exchange.until('body-end');
        assert.equal(exchange.body, 'hello world');
        assert.equal(exchange.trailers, null);
        exchange.answer();
        assert.equal(await readAll(await call.response), 'ok');
      },
    );

    played(
      adaptor,
      'a body of unknown length arrives with its trailers, without forbidden ones',
      async (bench, client) => {
        const fields = adaptor.version === '1.1' ? ['transfer-encoding', 'chunked', 'trailer', 'x-sum'] : [];
        const call = client.ask({ method: 'POST', fields, isOpen: true });
        const exchange = await bench.starter.next();
        assert.equal(exchange.head.bodyLength, UNKNOWN_LENGTH);
        exchange.client.resumeBody();
        call.upload.write('abc');
        call.endWithTrailers({ 'x-sum': '42', authorization: 'Basic forged' });
        await exchange.until('body-end');
        assert.equal(exchange.body, 'abc');
        assert.deepEqual(exchange.trailers, ['x-sum', '42']);
        exchange.answer();
        await call.response;
      },
    );
  });
}

function uploadPressureCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: back-pressure on uploads`, () => {
    played(adaptor, 'a body that is held back holds the client back', async (bench, client) => {
      const call = client.ask({ method: 'POST', fields: ['content-length', String(BIG_BYTES)], isOpen: true });
      const exchange = await bench.starter.next();
      const chunk = Buffer.alloc(256 * 1024, 'x');
      let sentBytes = 0;
      const push = (): void => {
        while (sentBytes < BIG_BYTES) {
          sentBytes += chunk.length;
          if (!call.upload.write(chunk)) return;
        }
        call.upload.end();
      };
      call.upload.on('drain', push);
      exchange.client.resumeBody();
      push();
      await exchange.untilTrue(() => exchange.bodyBytes > 100_000, 'the first bytes');
      exchange.client.pauseBody();
      await untilStill(() => sentBytes);
      const pausedAt = exchange.bodyBytes;
      assert.ok(sentBytes < BUFFERS_BYTES, `the client could send ${sentBytes} bytes`);
      assert.equal(exchange.bodyBytes, pausedAt);
      exchange.client.resumeBody();
      await exchange.until('body-end');
      assert.equal(exchange.bodyBytes, BIG_BYTES);
      exchange.answer();
      await call.response;
    });
  });
}

/** Waits until a count has not moved for some turns of the loop with I/O between them. */
export async function untilStill(count: () => number): Promise<void> {
  let seen = count();
  let still = 0;
  while (still < 25) {
    await new Promise((resolve) => setTimeout(resolve, 4));
    still = count() === seen ? still + 1 : 0;
    seen = count();
  }
}

function responseCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: responses`, () => {
    played(
      adaptor,
      'a known length stays known, and fields come as they are, repeated ones too',
      async (bench, client) => {
        const call = client.ask({});
        const exchange = await bench.starter.next();
        exchange.answer('hello', ['Set-Cookie', 'a=1', 'X-Odd', 'caf\u00e9', 'Set-Cookie', 'b=2', 'Date', 'then']);
        const response = await call.response;
        assert.equal(response.field('content-length'), '5');
        assert.deepEqual(response.fields('set-cookie'), ['a=1', 'b=2']);
        assert.deepEqual(response.fields('date'), ['then']);
        assert.equal(response.field('x-odd'), 'caf\u00e9');
        assert.equal(await readAll(response), 'hello');
        await exchange.until('flushed');
        assert.deepEqual(exchange.events, ['flushed']);
      },
    );

    played(adaptor, 'an unknown length stays unknown, and extra fields come in addition', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ fields: ['X-Own', '1'] }), ['X-Extra', '2']);
      exchange.client.sendData(Buffer.from('one '));
      exchange.client.sendData(Buffer.from('two'));
      exchange.client.sendEnd(null);
      const response = await call.response;
      assert.equal(response.field('content-length'), undefined);
      assert.deepEqual([response.field('x-own'), response.field('x-extra')], ['1', '2']);
      assert.equal(response.fields('date').length, 1);
      assert.equal(await readAll(response), 'one two');
    });

    played(adaptor, 'a head is sent before any byte of the body follows', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ fields: ['content-type', 'text/event-stream'] }), []);
      const response = await call.response;
      assert.equal(response.field('content-type'), 'text/event-stream');
      exchange.client.sendData(Buffer.from('data: 1\n\n'));
      exchange.client.sendEnd(null);
      assert.equal(await readAll(response), 'data: 1\n\n');
    });
  });
}

function bodylessCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: responses without body`, () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
      ['GET', 204],
    ] as const) {
      played(adaptor, `${method} ${status} has no body, whatever is sent`, async (bench, client) => {
        const call = client.ask({ method });
        const exchange = await bench.starter.next();
        exchange.client.sendHead(responseHead({ status, length: 1234 }), []);
        exchange.client.sendData(Buffer.from('never'));
        exchange.client.sendEnd(null);
        const response = await call.response;
        assert.equal(response.status, status);
        assert.equal(response.field('content-length'), status === 204 ? undefined : '1234');
        assert.equal(await readAll(response), '');
        await exchange.until('flushed');
        const next = client.ask({});
        (await bench.starter.next()).answer('next');
        assert.equal(await readAll(await next.response), 'next');
      });
    }
  });
}

function interimCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: interim responses`, () => {
    played(adaptor, 'interim responses are relayed, 101 is not', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendInterim(responseHead({ status: 101 }));
      exchange.client.sendInterim(responseHead({ status: 103, fields: ['Link', '</a>; rel=preload', 'X-Hint', '1'] }));
      exchange.answer();
      await call.response;
      assert.deepEqual(
        call.interims.map(({ status }) => status),
        [103],
      );
      assert.equal(call.interims[0]!.fields['x-hint'], '1');
    });

    played(adaptor, 'a 100 is relayed once, and not sent before', async (bench, client) => {
      const fields = ['content-length', '4', 'expect', '100-continue'];
      const call = client.ask({ method: 'PUT', fields, isOpen: true });
      const exchange = await bench.starter.next();
      assert.deepEqual(call.interims, []);
      exchange.client.resumeBody();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(call.interims, []);
      exchange.client.sendInterim(responseHead({ status: 100 }));
      exchange.client.sendInterim(responseHead({ status: 100 }));
      call.upload.end('body');
      await exchange.until('body-end');
      exchange.answer();
      await call.response;
      assert.deepEqual(
        call.interims.map(({ status }) => status),
        [100],
      );
    });

    played(adaptor, 'a 100 is relayed once to a client that does not wait for it', async (bench, client) => {
      const call = client.ask({ method: 'PUT', fields: ['content-length', '4'], body: 'body' });
      const exchange = await bench.starter.next();
      exchange.client.sendInterim(responseHead({ status: 100 }));
      exchange.client.resumeBody();
      await exchange.until('body-end');
      exchange.client.sendInterim(responseHead({ status: 100 }));
      exchange.answer();
      await call.response;
      assert.deepEqual(
        call.interims.map(({ status }) => status),
        [100],
      );
    });
  });
}

function trailerCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: trailers`, () => {
    played(adaptor, 'trailers are sent to a client that takes them', async (bench, client) => {
      const call = client.ask({ fields: ['te', 'trailers'] });
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ fields: ['Trailer', 'Grpc-Status'] }), []);
      exchange.client.sendData(Buffer.from('data'));
      exchange.client.sendEnd(['Grpc-Status', '13', 'X-Last', 'yes']);
      assert.equal(await readAll(await call.response), 'data');
      assert.equal(call.trailers()['grpc-status'], '13');
      assert.equal(call.trailers()['x-last'], 'yes');
    });
  });
}

function downloadPressureCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: back-pressure on downloads`, () => {
    played(adaptor, 'a client that reads slowly holds the endpoint back', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead({ length: BIG_BYTES }), []);
      const chunk = Buffer.alloc(64 * 1024, 'y');
      let sentBytes = 0;
      const push = (): void => {
        while (sentBytes < BIG_BYTES) {
          sentBytes += chunk.length;
          if (!exchange.client.sendData(chunk)) return;
        }
        exchange.client.sendEnd(null);
      };
      push();
      await untilStill(() => sentBytes);
      assert.ok(sentBytes < BUFFERS_BYTES, `${sentBytes} bytes were taken of the endpoint`);
      const response = await call.response;
      let gotBytes = 0;
      exchange.onClientDrain = push;
      push();
      for await (const part of response.stream) gotBytes += (part as Buffer).length;
      assert.equal(gotBytes, BIG_BYTES);
      await exchange.until('flushed');
    });
  });
}

function localReplyCases(adaptor: AdaptorUnderTest): void {
  describe(`${adaptor.name}: replies of our own`, () => {
    played(adaptor, 'a reply of our own is whole', async (bench, client) => {
      const call = client.ask({});
      const exchange = await bench.starter.next();
      exchange.client.sendLocalReply(localReply(503, 'no endpoint'));
      const response = await call.response;
      assert.deepEqual([response.status, response.field('content-length')], [503, '11']);
      assert.equal(await readAll(response), 'no endpoint');
      await exchange.until('flushed');
      assert.deepEqual(exchange.events, ['flushed']);
    });

    played(adaptor, 'a reply may be made before begin returns', async (bench, client) => {
      bench.starter.onBegin = (exchange) => exchange.client.sendLocalReply(localReply(404, 'no route'));
      const call = client.ask({ method: 'HEAD' });
      const response = await call.response;
      assert.deepEqual([response.status, response.field('content-length')], [404, '8']);
      assert.equal(await readAll(response), '');
      await (await bench.starter.next()).until('flushed');
    });
  });
}

export function messageCases(adaptor: AdaptorUnderTest): void {
  requestHeadCases(adaptor);
  requestBodyCases(adaptor);
  uploadPressureCases(adaptor);
  responseCases(adaptor);
  bodylessCases(adaptor);
  interimCases(adaptor);
  trailerCases(adaptor);
  downloadPressureCases(adaptor);
  localReplyCases(adaptor);
}
