// A client that took a few bytes every few seconds reset every idle timeout, and held its response for hours. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { responseHead } from '../contract/proxy/downstream/scripted-starter.ts';
import { sharedParts } from '../support/http1-parts.ts';

/** Node can't make a socket's receive buffer small, which is what shows each small read to the sender. */
const READER = `
import socket, sys, time
reader = socket.socket()
reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
reader.connect(('127.0.0.1', int(sys.argv[1])))
reader.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n')
try:
    while reader.recv(32):
        time.sleep(0.2)
except OSError:
    pass
`;

for (const path of ['engine', 'node:http'] as const) {
  test(`a reader of 32 bytes at a time is ended by the minimum rate, on ${path}`, async (t) => {
    const reader = spawn('python3', ['-c', READER, '0']);
    const canRun = await new Promise<boolean>((resolve) => {
      reader.once('error', () => resolve(false));
      reader.once('spawn', () => resolve(true));
    });
    if (!canRun) return t.skip('python3 is not installed');
    await once(reader, 'exit');
    const options = path === 'engine' ? { fast: sharedParts() } : {};
    const bench = await new Bench({ ...options, timeouts: { sendIdleMs: 1000 } }).start();
    const slow = spawn('python3', ['-c', READER, String(bench.port)]);
    const exchange = await bench.starter.next();
    exchange.client.sendHead(responseHead({ length: 500_000_000 }), []);
    const push = (): void => {
      while (exchange.client.sendData(Buffer.alloc(65_536)) && exchange.gone.length === 0);
    };
    exchange.onClientDrain = push;
    push();
    await exchange.until('gone:send-timeout');
    assert.deepEqual(exchange.gone, ['send-timeout']);
    slow.kill();
    await once(slow, 'exit');
    await bench.stop();
  });
}
