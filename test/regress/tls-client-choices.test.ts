// A client that can use only one of an RSA and an ECDSA certificate for a name was refused; TLS 1.2 clients could
// renegotiate without limit; ALPN http/1.0 was refused. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../support/certificates.ts';
import { RawClient } from '../support/raw-client.ts';

const NAME = 'both.test';
const certificates = [testCertificate([NAME], 'rsa'), testCertificate([NAME], 'ec'), testCertificate(['other.test'])];

async function withTls(play: (port: number) => Promise<void>): Promise<void> {
  const bench = await new Bench({ listener: { tls: { certificates, minVersion: 'TLSv1.2', http2: true } } }).start();
  bench.starter.onBegin = (exchange) => void setImmediate(() => exchange.answer());
  try {
    await play(bench.port);
  } finally {
    await bench.stop();
  }
}

/** Type of the key of the certificate that a client gets. */
async function keyTypeFor(port: number, sigalgs: string, servername: string | undefined): Promise<string> {
  const client = await RawClient.connect({
    port,
    tls: { sigalgs, ...(servername === undefined ? {} : { servername }) },
  });
  const certificate = (client.socket as TLSSocket).getPeerX509Certificate();
  client.destroy();
  return certificate?.publicKey.asymmetricKeyType ?? '';
}

describe('RSA and ECDSA certificates for one name', () => {
  for (const servername of [NAME, undefined]) {
    test(`the pair that the client can use is chosen, server name ${servername ?? 'absent'}`, () =>
      withTls(async (port) => {
        assert.equal(await keyTypeFor(port, 'RSA-PSS+SHA256:RSA+SHA256', servername), 'rsa');
        assert.equal(await keyTypeFor(port, 'ECDSA+SHA256', servername), 'ec');
      }));
  }
});

test('a TLS 1.2 client cannot renegotiate', () =>
  withTls(async (port) => {
    for (const servername of [NAME, undefined]) {
      const client = await RawClient.connect({
        port,
        tls: { maxVersion: 'TLSv1.2', ...(servername === undefined ? {} : { servername }) },
      });
      const error = await new Promise<Error | null>((resolve) => {
        client.socket.once('error', resolve);
        client.socket.once('close', () => resolve(new Error('closed')));
        (client.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, resolve);
      });
      assert.notEqual(error, null);
      client.destroy();
    }
  }));

test('a client that offers http/1.0 alone in ALPN is served', () =>
  withTls(async (port) => {
    const client = await RawClient.connect({ port, tls: { ALPNProtocols: ['http/1.0'], servername: NAME } });
    assert.equal((client.socket as TLSSocket).alpnProtocol, 'http/1.0');
    client.send('GET / HTTP/1.0\r\n\r\n');
    assert.equal((await client.readResponse()).status, 200);
    client.destroy();
  }));
