// At limits.connections of a listener, connections with half a request head took every place, and honest clients were
// refused until the head timeout. Thread: main.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../support/certificates.ts';
import { FRAME, frame, PREFACE } from '../support/http2-frames.ts';
import { sharedParts } from '../support/http1-parts.ts';
import { RawClient } from '../support/raw-client.ts';

const LIMIT = 6;
const HONEST = 3;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HALF = 'GET / HTTP/1.1\r\nHo';
/** A HEADERS frame of which one byte of a hundred has been sent. */
const HALF_HEADERS = Buffer.concat([
  Buffer.from(PREFACE),
  frame(FRAME.settings, 0, 0),
  frame(FRAME.headers, 0, 1, Buffer.alloc(100)).subarray(0, 10),
]);

interface Attack {
  readonly name: string;
  readonly listener: 'plain' | 'TLS' | 'h2c';
  readonly bytes: string | Buffer;
  /** Sends a whole request first. */
  readonly isSecond?: true;
  /** Protocol of the attacker's TLS connection; null for no handshake. */
  readonly alpn?: 'h2' | 'http/1.1' | null;
}

const ATTACKS: readonly Attack[] = [
  { name: 'half a head', listener: 'plain', bytes: HALF },
  { name: 'no byte', listener: 'plain', bytes: '' },
  { name: 'half of a second head', listener: 'plain', bytes: HALF, isSecond: true },
  { name: 'half a head over TLS', listener: 'TLS', bytes: HALF, alpn: 'http/1.1' },
  { name: 'no byte after the handshake', listener: 'TLS', bytes: '', alpn: 'http/1.1' },
  { name: 'no handshake', listener: 'TLS', bytes: '', alpn: null },
  { name: 'half a frame of HTTP/2', listener: 'TLS', bytes: HALF_HEADERS, alpn: 'h2' },
  { name: 'half a preface of HTTP/2', listener: 'TLS', bytes: 'PRI *', alpn: 'h2' },
  { name: 'half a preface that is still undecided', listener: 'h2c', bytes: 'PRI *' },
  { name: 'half a frame of HTTP/2 without TLS', listener: 'h2c', bytes: HALF_HEADERS },
];

for (const isFast of [true, false]) {
  describe(`fastPath: ${isFast}`, () => {
    for (const attack of ATTACKS) test(`${attack.name} makes room for requests`, (t) => play(t, attack, isFast));
  });
}

async function play(t: TestContext, attack: Attack, isFast: boolean): Promise<void> {
  const isTls = attack.listener === 'TLS';
  const tls = isTls ? { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } : null;
  const bench = await new Bench({
    ...(isFast ? { fast: sharedParts() } : {}),
    listener: { tls: tls as never, http2: attack.listener === 'h2c' },
    limits: { connections: LIMIT },
  }).start();
  const { port, starter } = bench;
  const open = async (alpn: 'h2' | 'http/1.1' | null = 'http/1.1'): Promise<RawClient> => {
    const hasTls = isTls && alpn !== null;
    const client = await RawClient.connect({ port, ...(hasTls ? { tls: { ALPNProtocols: [alpn] } } : {}) });
    t.after(() => client.destroy());
    return client;
  };
  t.after(() => bench.stop());
  const busy = await open();
  busy.send(GET);
  const held = await starter.next();
  starter.answerAll((exchange) => exchange.answer('here'));
  const attackers: RawClient[] = [];
  while (attackers.length < LIMIT - 1) {
    const client = await open(attack.alpn);
    if (attack.isSecond) {
      client.send(GET);
      await client.readResponse();
    }
    client.send(attack.bytes);
    attackers.push(client);
  }
  while (bench.openConnections < LIMIT) await new Promise((resolve) => setImmediate(resolve));
  // Sent bytes are read in the next turns.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  for (let count = 0; count < HONEST; count += 1) {
    const client = await open();
    client.send(GET);
    assert.equal((await client.readResponse()).body, 'here');
  }
  for (const attacker of attackers.slice(0, HONEST)) await attacker.whenEnded();
  assert.equal(bench.openConnections, LIMIT);
  assert.deepEqual([bench.count('connectionsEvicted'), bench.count('connectionsRefused')], [HONEST, 0]);
  held.answer('held');
  assert.equal((await busy.readResponse()).body, 'held', 'a request in progress is not cut');
}

test('where all connections have had a request, a new one is refused', async (t) => {
  const bench = await new Bench({ fast: sharedParts(), limits: { connections: 2 } }).start();
  t.after(() => bench.stop());
  bench.starter.answerAll((exchange) => exchange.answer('here'));
  for (let count = 0; count < 2; count += 1) {
    const client = await RawClient.connect({ port: bench.port });
    t.after(() => client.destroy());
    client.send(GET);
    await client.readResponse();
  }
  const third = connect(bench.port, '127.0.0.1');
  await new Promise((resolve) => third.on('error', resolve).on('close', resolve));
  assert.deepEqual([bench.count('connectionsEvicted'), bench.count('connectionsRefused')], [0, 1]);
});
