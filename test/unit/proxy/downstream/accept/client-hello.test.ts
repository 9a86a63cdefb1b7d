// ClientHello parser: hellos of Node's own client, in pieces of every size, over several records, and damaged. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ClientHello,
  ClientHelloParser,
  type HelloOutcome,
} from '../../../../../proxy/downstream/accept/client-hello.ts';
import { seededRandom } from '../../../../../core/random.ts';
import { helloOf, inRecords } from '../../../../support/client-hello.ts';

function readClientHello(bytes: Buffer): HelloOutcome {
  return new ClientHelloParser().push(bytes);
}

function parsed(bytes: Buffer): ClientHello {
  const outcome = readClientHello(bytes);
  assert.equal(typeof outcome, 'object', JSON.stringify(outcome));
  return outcome as ClientHello;
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
      for (const size of [1, 3, 5, 64]) {
        const parser = new ClientHelloParser();
        const whole = inRecords(bytes, 7);
        let outcome: HelloOutcome = 'incomplete';
        for (let at = 0; at < whole.length; at += size) {
          assert.equal(outcome, 'incomplete');
          outcome = parser.push(whole.subarray(at, at + size));
        }
        assert.deepEqual(outcome, hello);
      }
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

  test('refuses a hello of more than 16 KiB, and takes one of exactly that', () => {
    const hello = (bodyBytes: number): Buffer => {
      const message = Buffer.alloc(4 + bodyBytes);
      message.writeUInt32BE((1 << 24) | bodyBytes);
      const padding = bodyBytes - 2 - 32 - 1 - 4 - 2 - 2 - 4;
      let at = 4 + 2 + 32 + 1;
      at = message.writeUInt16BE(2, at) + 2;
      at = message.writeUInt8(1, at) + 1;
      at = message.writeUInt16BE(padding + 4, at);
      at = message.writeUInt16BE(21, at);
      message.writeUInt16BE(padding, at);
      return inRecords(Buffer.concat([Buffer.alloc(5), message]), 4000);
    };
    assert.deepEqual(parsed(hello(16_380)), { serverName: '', protocols: [], ticketKeyName: null });
    assert.equal(readClientHello(hello(16_381)), 'malformed');
  });

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
