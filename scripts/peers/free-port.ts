// Ports for programs that can't be given port 0, and for servers that return to their port. Thread: main.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Well above the ports of services that a machine may run. */
const FIRST = 10_000;
/** Where the kernel's choice for outgoing connections begins unless it says otherwise. */
const DEFAULT_EPHEMERAL = 32_768;

const given = new Set<number>();

/**
 * A port that nothing on 127.0.0.1 listens on. It lies below those that the kernel chooses for outgoing connections and for
 * port 0: any of theirs may be taken between this check and its use. A process never gets the same port twice.
 */
export async function freePort(): Promise<number> {
  const count = ephemeralStart() - FIRST;
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * count);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** As many different ports. */
export async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** The first port that the kernel chooses for outgoing connections. */
function ephemeralStart(): number {
  try {
    const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Math.max(Number(first) || DEFAULT_EPHEMERAL, 2 * FIRST);
  } catch {
    return DEFAULT_EPHEMERAL;
  }
}
