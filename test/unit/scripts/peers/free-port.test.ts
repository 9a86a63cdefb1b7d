// Ports for programs that can't be given port 0.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from '../../../../scripts/peers/free-port.ts';

test('free ports differ, can be bound, and are none that the kernel gives to outgoing connections', async (t) => {
  const ports = await freePorts(50);
  assert.equal(new Set(ports).size, 50);
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
  for (const port of ports) assert.ok(port < Number(first), `${port} is below ${first}`);
  const server = createServer().listen(ports[0], '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
});
