// Node 26.10 crashed where a TCP socket was destroyed before the TLS socket around it, in the turn of secureConnect: a
// heartbeat that was cancelled then took the process with it. The dialler makes one socket only. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { systemTimers } from '../../core/timers.ts';
import { Dialler, type Dialling } from '../../net/dial.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../support/origin-certificate.ts';

const DIALS = 50;

test('TLS connections that are destroyed as soon as they are ready end, and the process lives', async (t) => {
  const server = createServer({ cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY }, (socket) => {
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const tls = { verify: false, ca: [], serverName: '', protocols: ['h2'] };
  const dialler = new Dialler({ host: '127.0.0.1', port, socketPath: '', tls, timeoutMs: 0 }, systemTimers);
  let ready = 0;
  const closed = Array.from({ length: DIALS }, (_, index) => {
    return new Promise<void>((resolve) => {
      const dialling: Dialling = dialler.dial((_error, socket) => {
        ready += 1;
        socket!.on('close', () => resolve());
        if (index % 2 === 0) socket!.destroy();
        else dialling.abort();
      });
    });
  });
  await Promise.all(closed);
  assert.equal(ready, DIALS);
});
