// ClientHello parser: hellos of Node's own client, in pieces of every size, over several records, and damaged. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { type ClientHello, readClientHello } from '../../../../../proxy/downstream/accept/client-hello.ts';
import { seededRandom } from '../../../../../core/random.ts';

/** The first bytes that a client sends. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes as Buffer;
}

function parsed(bytes: Buffer): ClientHello {
  const outcome = readClientHello(bytes);
  assert.equal(typeof outcome, 'object', JSON.stringify(outcome));
  return outcome as ClientHello;
}

/** The same handshake message over records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

describe('readClientHello', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`reads server name and protocols of a ${maxVersion} client, whatever the pieces`, async () => {
      const bytes = await helloOf({ servername: 'Shop.Example.COM', ALPNProtocols: ['h2', 'acme-tls/1'], maxVersion });
      const hello = parsed(bytes);
      assert.equal(hello.serverName, 'shop.example.com');
      assert.deepEqual(hello.protocols, ['h2', 'acme-tls/1']);
      assert.equal(hello.ticketKeyName, null);
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(readClientHello(bytes.subarray(0, length)), 'incomplete', `${length} bytes`);
      }
      for (const size of [1, 3, 5, 64, 1000]) assert.deepEqual(parsed(inRecords(bytes, size)), hello);
    });
  }

  test('reads a client without server name and protocols', async () => {
    const hello = parsed(await helloOf({ servername: '' }));
    assert.deepEqual([hello.serverName, hello.protocols], ['', []]);
  });

  for (const [text, outcome] of [
    ['GET / HTTP/1.1\r\n\r\n', 'not-tls'],
    ['PROXY TCP4 ', 'not-tls'],
    ['\x16\x02\x00\x00\x05', 'not-tls'],
    ['\x16\x03\x01\x00\x00', 'malformed'],
    ['\x16\x03\x01\x00\x04\x02\x00\x00\x00', 'malformed'],
    ['\x16\x03\x01\x00\x04\x01\xff\xff\xff', 'malformed'],
    ['\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03', 'malformed'],
    ['\x16\x03\x01\xff\xff', 'malformed'],
    ['', 'incomplete'],
    ['\x16', 'incomplete'],
  ] as const) {
    test(`${JSON.stringify(text)} is ${outcome}`, () => {
      assert.equal(readClientHello(Buffer.from(text, 'latin1')), outcome);
    });
  }

  test('never throws on damaged hellos', async () => {
    const bytes = await helloOf({ servername: 'shop.example.com', ALPNProtocols: ['h2', 'http/1.1'] });
    const random = seededRandom(7);
    const pick = (below: number): number => Math.floor(random.next() * below);
    for (let round = 0; round < 5000; round++) {
      const damaged = Buffer.from(bytes);
      for (let change = 0; change <= pick(4); change++) damaged[pick(damaged.length)] = pick(256);
      readClientHello(damaged.subarray(0, 1 + pick(damaged.length)));
    }
  });
});
