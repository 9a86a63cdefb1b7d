// Measures the memory of idle client connections. Thread: main.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../peers/self-signed-certificate.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { startOrigins } from '../load/origins.ts';
import { WireConnection } from '../soak/wire-connection.ts';

export const HELP = `npm run idle -- [--connections 5000] [--tls] [--path fast|general] [--limit 20]
Opens so many connections, sends one request on each, leaves them idle and divides what Fairlead's resident memory has
grown by. Ends with 1 where that is --limit KiB or more. Both processes need as many file descriptors (ulimit -n).`;

export interface IdleOptions {
  readonly connections: number;
  readonly isTls: boolean;
  readonly isFast: boolean;
  readonly limitKib: number;
}

/** Connections opened and closed first, to exclude one-time allocations. */
const WARM_UP = 200;
/** Connections opened at a time, so that no backlog of handshakes is measured. */
const AT_A_TIME = 50;
/** Number of memory readings: garbage of the opening phase is collected meanwhile. */
const LOOKS = 8;
const LOOK_MS = 500;

/** Returns null for --help. @throws Error with a message for the user */
export function readOptions(args: readonly string[]): IdleOptions | null {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help === true) return null;
  if (values.path !== 'fast' && values.path !== 'general') throw new Error('--path: fast or general');
  const [connections, limitKib] = [Number(values.connections), Number(values.limit)];
  if (!(connections >= 1) || !(limitKib > 0)) throw new Error('--connections and --limit are numbers above zero');
  return { connections, limitKib, isTls: values.tls === true, isFast: values.path === 'fast' };
}

const OPTIONS = {
  connections: { type: 'string', default: '5000' },
  limit: { type: 'string', default: '20' },
  path: { type: 'string', default: 'fast' },
  tls: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** @returns resident bytes per connection, and the number of connections open at the end */
export async function measureIdleConnections(options: IdleOptions): Promise<{ bytesEach: number; open: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-idle-'));
  const [origin] = await startOrigins(1);
  const fairlead = await start(options, folder, origin!.port);
  try {
    const port = Number(new URL(fairlead.url).port);
    for (const connection of await open(port, options.isTls, WARM_UP)) connection.leave('fin');
    const before = await leastResident(fairlead);
    const connections = await open(port, options.isTls, options.connections);
    const after = await leastResident(fairlead);
    const isOpen = connections.filter((connection) => !connection.isOver).length;
    for (const connection of connections) connection.leave('fin');
    return { bytesEach: (after - before) / options.connections, open: isOpen };
  } finally {
    await fairlead.stop('SIGKILL');
    await origin!.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start({ isTls, isFast }: IdleOptions, folder: string, originPort: number): Promise<FairleadProcess> {
  const { cert, key } = makeCertificate(folder);
  const tls = isTls ? `, tls: { certificates: [{ cert: ${cert}, key: ${key} }] }` : '';
  return FairleadProcess.start(
    (ports) => `
workers: 1
fastPath: ${isFast}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}"${tls} }]
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:${originPort}"], health: { heartbeat: false } }
timeouts: { keepAlive: 5m }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`,
  );
}

async function open(port: number, isTls: boolean, count: number): Promise<WireConnection[]> {
  const opened: WireConnection[] = [];
  while (opened.length < count) {
    const batch = Math.min(AT_A_TIME, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: batch }, () => openOne(port, isTls)))));
  }
  return opened;
}

async function openOne(port: number, isTls: boolean): Promise<WireConnection> {
  const connection = await WireConnection.open(port, isTls);
  connection.send('GET / HTTP/1.1\r\nHost: idle.test\r\n\r\n');
  const { status } = await connection.readResponse();
  if (status !== 200) throw new Error(`status ${status}`);
  return connection;
}

async function leastResident(fairlead: FairleadProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) {
    await pause(LOOK_MS);
    least = Math.min(least, await fairlead.residentBytes());
  }
  return least;
}
