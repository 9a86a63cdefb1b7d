// Measures the memory of idle client connections, and of open HTTP/2 streams. Thread: main.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../peers/self-signed-certificate.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { startOrigins } from '../load/origins.ts';
import { WireConnection } from '../soak/wire-connection.ts';
import { Http2Client, startHttp2Endpoint } from './http2-clients.ts';

export const HELP = `npm run idle -- [--connections 5000] [--tls] [--path fast|general] [--http2 [--streams 0]] [--limit 20]
Opens so many connections, sends one request on each, leaves them idle and divides what Fairlead's resident memory has
grown by. --streams: each connection then opens so many requests that an HTTP/2 endpoint doesn't answer; the result is the
memory of one of these. Ends with 1 where that is --limit KiB or more. Both processes need as many file descriptors (ulimit -n).`;

export interface IdleOptions {
  readonly connections: number;
  readonly isTls: boolean;
  readonly isFast: boolean;
  readonly isHttp2: boolean;
  /** Open streams of each HTTP/2 connection; 0 measures idle connections. */
  readonly streams: number;
  readonly limitKib: number;
}

/** Connections opened and closed first, to exclude one-time allocations. */
const WARM_UP = 200;
/** The limit of a connection. */
const MAX_STREAMS = 256;
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
  const streams = Number(values.streams);
  const isHttp2 = values.http2 === true;
  if (!(streams >= 0 && streams <= MAX_STREAMS) || (streams > 0 && !isHttp2)) {
    throw new Error(`--streams: a number up to ${MAX_STREAMS}, with --http2`);
  }
  return { connections, limitKib, streams, isHttp2, isTls: values.tls === true, isFast: values.path === 'fast' };
}

const OPTIONS = {
  connections: { type: 'string', default: '5000' },
  limit: { type: 'string', default: '20' },
  path: { type: 'string', default: 'fast' },
  tls: { type: 'boolean' },
  http2: { type: 'boolean' },
  streams: { type: 'string', default: '0' },
  help: { type: 'boolean' },
} as const;

/** @returns resident bytes per connection, or per stream where there are some, and the number of connections open at the end */
export async function measureIdleConnections(options: IdleOptions): Promise<{ bytesEach: number; open: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-idle-'));
  const [origin] = await startOrigins(1);
  const endpoint = options.streams > 0 ? await startHttp2Endpoint() : null;
  const fairlead = await start(options, folder, endpoint?.port ?? origin!.port);
  try {
    const port = Number(new URL(fairlead.url).port);
    for (const connection of await open(port, options, WARM_UP)) connection.leave('fin');
    let before = await leastResident(fairlead);
    const connections = await open(port, options, options.connections);
    let after = await leastResident(fairlead);
    if (options.streams > 0) {
      before = after;
      for (const connection of connections) if (connection instanceof Http2Client) connection.hold(options.streams);
      await untilOpen(fairlead, options.connections * options.streams);
      after = await leastResident(fairlead);
    }
    const isOpen = connections.filter((connection) => !connection.isOver).length;
    for (const connection of connections) connection.leave('fin');
    return { bytesEach: (after - before) / (options.connections * Math.max(1, options.streams)), open: isOpen };
  } finally {
    await fairlead.stop('SIGKILL');
    endpoint?.close();
    await origin!.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(
  { isTls, isFast, isHttp2, streams }: IdleOptions,
  folder: string,
  originPort: number,
): Promise<FairleadProcess> {
  const { cert, key } = makeCertificate(folder);
  const tls = isTls ? `, tls: { certificates: [{ cert: ${cert}, key: ${key} }] }` : '';
  return FairleadProcess.start(
    (ports) => `
workers: 1
fastPath: ${isFast}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}"${tls || (isHttp2 ? ', http2: true' : '')} }]
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:${originPort}"]${streams > 0 ? ', protocol: http2' : ''}, health: { heartbeat: false } }
timeouts: { keepAlive: 5m }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`,
  );
}

type Connection = WireConnection | Http2Client;

async function open(port: number, { isTls, isHttp2 }: IdleOptions, count: number): Promise<Connection[]> {
  const opened: Connection[] = [];
  const openNext = (): Promise<Connection> => (isHttp2 ? Http2Client.open(port, isTls) : openOne(port, isTls));
  while (opened.length < count) {
    const batch = Math.min(AT_A_TIME, count - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: batch }, openNext))));
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

/** Waits until Fairlead has so many open streams. @throws Error where it has not within a minute */
async function untilOpen({ adminUrl }: FairleadProcess, streams: number): Promise<void> {
  const giveUpMs = performance.now() + 60_000;
  for (let open = 0; open < streams; await pause(LOOK_MS)) {
    if (performance.now() > giveUpMs) throw new Error(`${open} of ${streams} streams are open after a minute`);
    const text = await (await fetch(`${adminUrl}/metrics?scope=listener`)).text();
    open = Number(/^fairlead_listener_http2_streams\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }
}

async function leastResident(fairlead: FairleadProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) {
    await pause(LOOK_MS);
    least = Math.min(least, await fairlead.residentBytes());
  }
  return least;
}
