// TLS listeners: certificates by name, protocols by ALPN, handshakes that fail. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TlsSnapshot } from '../../../../core/snapshot/listener.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { Bench, type BenchOptions } from '../../../contract/proxy/downstream/bench.ts';
import { responseHead, type ScriptedExchange } from '../../../contract/proxy/downstream/scripted-starter.ts';

const TLS: TlsSnapshot = {
  certificates: [testCertificate(['first.test']), testCertificate(['*.wild.test']), testCertificate(['second.test'])],
  minVersion: 'TLSv1.2',
  http2: true,
};

async function withTls(play: (bench: Bench) => Promise<void>, options: BenchOptions = {}): Promise<void> {
  const bench = await new Bench({ ...options, listener: { tls: TLS } }).start();
  try {
    await play(bench);
  } finally {
    await bench.stop();
  }
}

describe('TLS', () => {
  for (const [asked, got] of [
    ['second.test', 'second.test'],
    ['SECOND.test', 'second.test'],
    ['a.wild.test', '*.wild.test'],
    ['a.b.wild.test', 'first.test'],
    ['other.test', 'first.test'],
    ['', 'first.test'],
  ] as const) {
    test(`a client that asks for ${asked || 'nothing'} gets the certificate of ${got}`, () =>
      withTls(async (bench) => {
        const client = await RawClient.connect({ port: bench.port, tls: { servername: asked } });
        assert.equal(client.tls.getPeerCertificate().subject.CN, got);
        client.destroy();
      }));
  }

  test('HTTP/1.1 is spoken where ALPN says so, or says nothing', () =>
    withTls(async (bench) => {
      for (const protocols of [['http/1.1'], undefined]) {
        const tls = protocols === undefined ? {} : { ALPNProtocols: protocols };
        const client = await RawClient.connect({ port: bench.port, tls });
        client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        const exchange = await bench.starter.next();
        assert.equal(exchange.client.connection.isTls, true);
        assert.equal(exchange.client.connection.peerAddress, '127.0.0.1');
        exchange.answer('secret');
        assert.equal((await client.readResponse()).body, 'secret');
        client.destroy();
      }
    }));

  test('a client that asks again and again and takes nothing loses its connection in time', () =>
    withTls(
      async (bench) => {
        const { starter } = bench;
        const held = await RawClient.connect({ port: bench.port, tls: {}, isHeld: true });
        const exchanges: ScriptedExchange[] = [];
        starter.answerAll((exchange) => {
          exchanges.push(exchange);
          exchange.answer('x'.repeat(4096));
        });
        for (let sent = 0; sent < 200; sent++) held.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
        while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        const gone = exchanges.flatMap((exchange) => exchange.gone);
        assert.deepEqual(gone, ['send-timeout']);
        held.destroy();
      },
      { timeouts: { sendIdleMs: 150 } },
    ));

  test('a cut is a reset, so that a body without length can not seem whole', () =>
    withTls(async (bench) => {
      const client = await RawClient.connect({ port: bench.port, tls: {} });
      client.send('GET / HTTP/1.0\r\n\r\n');
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead(), []);
      exchange.client.sendData(Buffer.from('a part'));
      await client.readUntil('a part');
      exchange.client.cut();
      await client.readToReset();
      while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }));

  test('slow heads, keep-alive and refusals are as without it', () =>
    withTls(
      async (bench) => {
        const client = await RawClient.connect({ port: bench.port, tls: {} });
        client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        (await bench.starter.next()).answer();
        await client.readResponse();
        client.send('GET / HTT');
        assert.equal((await client.readResponse()).status, 408);
        await client.readToEnd();
      },
      { timeouts: { headMs: 100 } },
    ));

  test('handshakes that fail are counted and logged, and nothing is thrown', () =>
    withTls(async (bench) => {
      const plain = await RawClient.connect({ port: bench.port });
      plain.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await plain.whenEnded();
      const old = RawClient.connect({
        port: bench.port,
        tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      });
      await assert.rejects(old);
      const left = await RawClient.connect({ port: bench.port });
      left.reset();
      const checked = await RawClient.connect({ port: bench.port });
      checked.finish();
      while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
      assert.deepEqual(
        (['tlsFailedNotTls', 'tlsFailedVersion', 'tlsFailedClosed'] as const).map((field) => bench.count(field)),
        [1, 1, 2],
      );
      assert.deepEqual(
        bench.logged.map(({ level }) => level),
        ['debug', 'debug', 'debug', 'debug'],
      );
    }));

  test('a handshake that takes too long is given up', () =>
    withTls(
      async (bench) => {
        const client = await RawClient.connect({ port: bench.port });
        await client.whenEnded();
        while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
        assert.equal(bench.count('tlsFailedTimeout'), 1);
      },
      { timeouts: { handshakeMs: 100 } },
    ));

  test('a drain waits for no handshake beyond its deadline', () =>
    withTls(async (bench) => {
      const client = await RawClient.connect({ port: bench.port });
      await bench.downstream.drain(50);
      assert.notEqual(await client.whenEnded(), '');
      assert.equal(bench.openConnections, 0);
    }));
});
