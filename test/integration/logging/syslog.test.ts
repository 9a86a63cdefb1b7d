// Syslog over UDP, TCP and a Unix socket: framing, reconnection, losses, the end. Thread: both.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { SyslogSnapshot } from '../../../core/snapshot/snapshot.ts';
import { systemTimers } from '../../../core/timers.ts';
import { openSyslog } from '../../../logging/destination/syslog-destination.ts';
import type { LogTrouble } from '../../../logging/destination/log-trouble.ts';
import { eventually } from '../../support/fairlead.ts';

const WALL_MS = Date.UTC(2030, 0, 1);
const HEADER = `<134>1 2030-01-01T00:00:00.000Z ${hostname()} fairlead ${process.pid} access - `;

function open(t: TestContext, parts: Pick<SyslogSnapshot, 'transport' | 'host' | 'port'>) {
  const syslog: SyslogSnapshot = { name: 'x', facility: 'local0', severity: 'info', app: 'fairlead', ...parts };
  const troubles: LogTrouble[] = [];
  const lost = { lines: 0 };
  const destination = openSyslog({
    syslog,
    timers: systemTimers,
    wallMs: () => WALL_MS,
    onTrouble: (trouble) => troubles.push(trouble),
    onLost: (lines) => (lost.lines += lines),
  });
  t.after(() => destination.close());
  return { destination, troubles, lost };
}

/** A server that collects what it receives. */
async function server(t: TestContext, at: { port: number; host?: string } | { path: string }) {
  const received = { text: '', sockets: [] as net.Socket[] };
  const listening = net.createServer((socket) => {
    received.sockets.push(socket);
    socket.on('data', (chunk) => (received.text += String(chunk)));
    socket.on('error', () => undefined);
  });
  listening.listen(at);
  await once(listening, 'listening');
  const stop = (): void => {
    listening.close();
    for (const socket of received.sockets) socket.destroy();
  };
  t.after(stop);
  return { received, stop, port: (listening.address() as AddressInfo).port };
}

const counted = (message: string): string => `${Buffer.byteLength(message)} ${message}`;

describe('syslog', () => {
  test('over UDP sends one datagram for each line', async (t) => {
    const socket = dgram.createSocket('udp4');
    const messages: string[] = [];
    socket.on('message', (message) => messages.push(String(message)));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const { destination, lost } = open(t, { transport: 'udp', host: '127.0.0.1', port: socket.address().port });
    destination.append('{"a":1}\n');
    destination.append('{"b":"é"}\n');
    destination.append(`${'x'.repeat(70_000)}\n`);
    await destination.close();
    await eventually(() => messages.length === 2, 'both messages');
    assert.deepEqual(messages, [`${HEADER}{"a":1}`, `${HEADER}{"b":"é"}`]);
    destination.append('late\n');
    assert.equal(lost.lines, 2, 'one that is too long, one after the end');
  });

  test('over TCP counts octets, and connects again after the server was away', async (t) => {
    const first = await server(t, { port: 0, host: '127.0.0.1' });
    const { destination, troubles } = open(t, { transport: 'tcp', host: '127.0.0.1', port: first.port });
    destination.append('one é\n');
    await eventually(() => first.received.text !== '', 'the first line');
    assert.equal(first.received.text, counted(`${HEADER}one é`));
    first.stop();
    await once(first.received.sockets[0]!, 'close');
    const second = await server(t, { port: first.port, host: '127.0.0.1' });
    await eventually(() => second.received.sockets.length > 0, 'another connection');
    destination.append('two\n');
    await destination.close();
    await eventually(() => second.received.text.includes('two'), 'the second line');
    assert.equal(second.received.text, counted(`${HEADER}two`));
    assert.ok(troubles.length <= 1);
  });

  test('over a Unix socket keeps lines until the server is there, within bounds, and reports the cause', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-syslog-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const host = path.join(folder, 'log.sock');
    const { destination, troubles, lost } = open(t, { transport: 'unix', host, port: 0 });
    await eventually(() => troubles.length > 0, 'a report');
    assert.equal(troubles[0]!.code, 'ENOENT');
    const big = `${'x'.repeat(1024 * 1024)}\n`;
    for (let n = 0; n < 5; n++) destination.append(n === 0 ? 'first\n' : big);
    assert.equal(lost.lines, 1, '4 MiB are kept');
    const { received } = await server(t, { path: host });
    await eventually(() => received.text.length > 3 * 1024 * 1024, 'the lines that were kept');
    assert.ok(received.text.startsWith(counted(`${HEADER}first`)));
  });
});
