// TCP listeners that pass TLS on, routed by server name: hellos in every split, other protocols, faults, and the PROXY
// protocol on both sides. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { LISTENER_FIELD, type ListenerField } from '../../../core/memory/lane-fields.ts';
import { helloOf, inRecords } from '../../support/client-hello.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';
import { opensslClient } from '../../support/openssl-client.ts';
import { startTcpEndpoint, type TcpClient, tcpClient } from '../../support/tcp-endpoint.ts';
import { type EndpointLine, startTlsEndpoint } from '../../support/tls-endpoint.ts';

const ALERT = {
  decodeError: '\x15\x03\x03\0\x02\x02\x32',
  unrecognizedName: '\x15\x03\x03\0\x02\x02\x70',
  noApplicationProtocol: '\x15\x03\x03\0\x02\x02\x78',
};

// size: the cases share one proxy, and each is a subtest
test('TCP listeners that route by server name', async (t) => {
  const [first, second, plain] = await Promise.all(
    ['first', 'second', 'plain'].map((name) => startTcpEndpoint(t, name)),
  );
  const secure = await startTlsEndpoint(t, { name: 'db.test' });
  const behind = await startTlsEndpoint(t, { name: 'pp.test', hasHeader: true });
  const fairlead = await startFairlead(
    t,
    `
workers: 1
timeouts: { handshake: 300ms }
listeners:
  - { name: pass, mode: tcp, bind: "127.0.0.1:0" }
  - { name: proxied, mode: tcp, bind: "127.0.0.1:0", proxyProtocol: { trusted: [127.0.0.1] } }
routes:
  - { match: { serverName: mail.test, alpn: [imap, pop3] }, upstream: second }
  - { match: { serverName: first.test }, upstream: first }
  - { match: { serverName: "*.second.test", not: { serverName: no.second.test } }, upstream: second }
  - { match: { serverName: db.test }, upstream: secure }
  - { match: { serverName: pp.test }, upstream: behind }
  - { match: { listener: pass, not: [{ serverName: "*.second.test" }, { serverName: mail.test }] }, upstream: plain }
upstreams:
  first: { endpoints: ["tcp://127.0.0.1:${first!.port}"], health: { heartbeat: false } }
  second: { endpoints: ["tcp://127.0.0.1:${second!.port}"], health: { heartbeat: false } }
  plain: { endpoints: ["tcp://127.0.0.1:${plain!.port}"], health: { heartbeat: false } }
  secure: { endpoints: ["tcp://127.0.0.1:${secure}"], health: { heartbeat: false } }
  behind: { endpoints: ["tcp://127.0.0.1:${behind}"], health: { heartbeat: false }, proxyProtocol: v2 }
`,
  );
  const portOf = (name: string): number => fairlead.plane.bound.find((one) => one.name === name)!.port;
  const count = (field: ListenerField): number => {
    const { region } = fairlead.plane;
    return region.doubles[region.listenerLane(0, 0) + LISTENER_FIELD[field]]!;
  };
  const send = async (bytes: Buffer | string, size = Infinity): Promise<TcpClient> => {
    const client = tcpClient(portOf('pass'));
    client.socket.setNoDelay(true);
    const all = Buffer.from(bytes as string, 'latin1');
    for (let at = 0; at < all.length; at += size) {
      client.socket.write(all.subarray(at, at + size));
      if (size < 100) await new Promise(setImmediate);
    }
    return client;
  };
  const hello = async (servername: string): Promise<Buffer> => helloOf({ servername });

  for (const [name, endpoint] of [
    ['first.test', 'first'],
    ['FIRST.test', 'first'],
    ['a.second.test', 'second'],
    ['a.b.second.test', 'second'],
    ['first.test.other', 'plain'],
    ['', 'plain'],
  ] as const) {
    await t.test(`a hello for ${JSON.stringify(name)} goes to ${endpoint}, as it was sent`, async () => {
      const bytes = await hello(name);
      const client = await send(bytes);
      const expected = `${endpoint}\n${bytes.toString('latin1')}`;
      await eventually(() => client.text() === expected, 'the endpoint echoes the hello');
      client.socket.end();
      assert.equal(await client.closed, 'end');
    });
  }

  await t.test('a hello may come byte by byte, over several records, and with bytes behind it', async () => {
    const bytes = await hello('a.second.test');
    for (const [whole, size] of [
      [bytes, 1],
      [inRecords(bytes, 100), Infinity],
      [inRecords(bytes, 7), 64],
      [Buffer.concat([bytes, Buffer.alloc(300_000, 1)]), Infinity],
    ] as const) {
      const client = await send(whole, size);
      await eventually(() => client.text().length === whole.length + 7, 'the endpoint echoes all');
      assert.ok(client.text() === `second\n${whole.toString('latin1')}`);
      client.socket.destroy();
    }
  });

  await t.test('other protocols go to a route without a server name', async () => {
    const client = await send('GET / HTTP/1.1\r\n\r\n');
    client.socket.end();
    assert.equal(await client.closed, 'end');
    assert.equal(client.text(), 'plain\nGET / HTTP/1.1\r\n\r\n');
  });

  await t.test('a hello without a route gets the alert unrecognized_name', async () => {
    const client = await send(await hello('no.second.test'));
    assert.equal(await client.closed, 'end');
    assert.equal(client.text(), ALERT.unrecognizedName);
  });

  await t.test(
    'a hello goes to the route of a protocol that it offers; without one it gets no_application_protocol',
    async () => {
      const offering = (...ALPNProtocols: string[]): Promise<Buffer> =>
        helloOf({ servername: 'mail.test', ALPNProtocols });
      const bytes = await offering('h2', 'imap');
      const client = await send(bytes);
      await eventually(() => client.text() === `second\n${bytes.toString('latin1')}`, 'the endpoint echoes the hello');
      client.socket.destroy();
      const refused = await send(await offering('h2'));
      assert.equal(await refused.closed, 'end');
      assert.equal(refused.text(), ALERT.noApplicationProtocol);
    },
  );

  await t.test('a malformed or overlong hello gets the alert decode_error, and is counted', async () => {
    const before = count('tlsFailedOther');
    for (const bytes of ['\x16\x03\x01\0\x04\x02\0\0\0', '\x16\x03\x01\x40\0\x01\0\x40\x01']) {
      const client = await send(bytes);
      assert.equal(await client.closed, 'end');
      assert.equal(client.text(), ALERT.decodeError);
    }
    assert.equal(count('tlsFailedOther') - before, 2);
  });

  await t.test('clients that send nothing, or half a hello, are closed in time and counted', async () => {
    const before = [count('tlsFailedTimeout'), count('tlsFailedClosed')];
    const clients = await Promise.all([send(''), send((await hello('first.test')).subarray(0, 50))]);
    await Promise.all(clients.map(({ closed }) => closed));
    const gone = [await send(''), await send('\x16\x03\x01')];
    for (const client of gone) client.socket.end();
    await Promise.all(gone.map(({ closed }) => closed));
    await eventually(() => count('connectionsOpen') === 0, 'all are closed');
    assert.deepEqual([count('tlsFailedTimeout'), count('tlsFailedClosed')], [before[0]! + 2, before[1]! + 1]);
  });

  await t.test('openssl and Node reach the endpoint that answers the handshake', async () => {
    const { isConnected, text } = await opensslClient(portOf('pass'), ['-servername', 'db.test'], 'bye\n');
    assert.equal(isConnected, true, text);
    assert.match(text, /"name":"db.test","serverName":"db.test"/);
    const socket = connectTls({
      port: portOf('pass'),
      host: '127.0.0.1',
      servername: 'db.test',
      rejectUnauthorized: false,
    });
    const client = tcpClient(socket);
    const sent = Buffer.alloc(1_000_000, 'x');
    await client.received(/\n/);
    const before = client.text().length;
    socket.end(sent);
    assert.equal(await client.closed, 'end');
    assert.equal(client.text().length - before, sent.length);
  });

  await t.test(
    'a PROXY protocol header precedes the hello, and the one to the endpoint has the server name',
    async () => {
      const raw = tcpClient(portOf('proxied')).socket;
      raw.removeAllListeners('data');
      raw.write('PROXY TCP4 203.0.113.7 198.51.100.1 4242 5432\r\n');
      const socket = connectTls({ socket: raw, servername: 'pp.test', rejectUnauthorized: false });
      const client = tcpClient(socket);
      const line = JSON.parse(await client.received(/\n/)) as EndpointLine;
      assert.equal(line.serverName, 'pp.test');
      const { addresses, authority, alpn, tls } = line.header!;
      assert.deepEqual([addresses!.source, addresses!.sourcePort], ['203.0.113.7', 4242]);
      assert.deepEqual([authority, alpn, tls], ['pp.test', '', null]);
      socket.destroy();
      raw.destroy();
    },
  );
});
