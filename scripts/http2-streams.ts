// Long HTTP/2 streams through Fairlead in flat memory: WebSockets that share one connection, and a gRPC stream to a client
// that reads slowly. `npm run http2-streams -- --help`. Exit code 1 where bytes are missing or memory grows. Thread: main.

import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadProcess } from './peers/fairlead-process.ts';
import { MemoryWatch } from './http2-streams/memory-watch.ts';
import { readSlowly, startGrpcStream } from './http2-streams/slow-reader.ts';
import { startEchoEndpoint, WebSocketCrowd } from './http2-streams/websockets.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run http2-streams -- [--websockets 1000] [--rounds 100] [--mebibytes 1024] [--limit 64]
Opens WebSockets over one HTTP/2 connection (at most 1000) to an HTTP/2 endpoint, and exchanges a message on each in every
round; then streams so many MiB by gRPC to a client that takes some 50 MiB a second and stops for two seconds in between.
Ends with 1 where Fairlead's resident memory grows by --limit MiB or more, or bytes are missing. 0 leaves a part out.`;

const MIB = 1_048_576;
const WARM_UPS = 5;
/** Garbage of the opening phase is collected meanwhile. */
const SETTLE_MS = 5000;

const { values } = readArguments(USAGE, {
  websockets: { type: 'string', default: '1000' },
  rounds: { type: 'string', default: '100' },
  mebibytes: { type: 'string', default: '1024' },
  limit: { type: 'string', default: '64' },
});

async function startFairlead(endpointPort: number): Promise<FairleadProcess> {
  return FairleadProcess.start(
    (ports) => `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}", http2: true }]
limits: { streams: 1000 }
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:${endpointPort}"], protocol: http2, health: { heartbeat: false } }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`,
  );
}

/** @returns whether memory stayed flat */
function judge(what: string, watch: MemoryWatch): boolean {
  const { startBytes, growthBytes } = watch.stop();
  const [start, growth] = [startBytes, growthBytes].map((bytes) => (bytes / MIB).toFixed(1));
  console.log(`${what}: ${start} MiB of resident memory, at most ${growth} MiB more meanwhile`);
  return growthBytes < Number(values.limit) * MIB;
}

async function tryWebSockets(count: number, rounds: number): Promise<boolean> {
  const endpoint = await startEchoEndpoint();
  const fairlead = await startFairlead(endpoint.port);
  try {
    const port = Number(new URL(fairlead.url).port);
    // Grows heap and buffers to their working size.
    for (let turn = 0; turn < WARM_UPS; turn += 1) {
      const first = await WebSocketCrowd.open(port, Math.ceil(count / 5));
      await first.exchange();
      await first.close();
    }
    const idleBytes = await fairlead.residentBytes();
    const crowd = await WebSocketCrowd.open(port, count);
    await sleep(SETTLE_MS);
    const eachBytes = ((await fairlead.residentBytes()) - idleBytes) / count;
    console.log(`${count} WebSockets opened: ${(eachBytes / 1024).toFixed(1)} KiB of resident memory each`);
    // The first rounds grow buffers and heap to their working size.
    for (let round = 0; round < Math.ceil(rounds / 5); round += 1) await crowd.exchange();
    const watch = await MemoryWatch.start(() => fairlead.residentBytes());
    for (let round = 0; round < rounds; round += 1) await crowd.exchange();
    const isFlat = judge(`${count} WebSockets over one connection, ${rounds} messages each`, watch);
    await crowd.close();
    return isFlat;
  } finally {
    await fairlead.stop('SIGKILL');
    endpoint.close();
  }
}

async function tryStream(mebibytes: number): Promise<boolean> {
  const endpoint = await startGrpcStream();
  const fairlead = await startFairlead(endpoint.port);
  const port = Number(new URL(fairlead.url).port);
  try {
    // Grows heap and buffers to their working size.
    await readSlowly({ port, bytes: 128 * MIB, pauseMs: 0 });
    const watch = await MemoryWatch.start(() => fairlead.residentBytes());
    const began = performance.now();
    const received = await readSlowly({ port, bytes: mebibytes * MIB, pauseMs: 2000 });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const isFlat = judge(`${received / MIB} MiB by gRPC to a slow reader in ${seconds} s`, watch);
    return isFlat && received === mebibytes * MIB;
  } finally {
    await fairlead.stop('SIGKILL');
    endpoint.close();
  }
}

const [websockets, mebibytes] = [Number(values.websockets), Number(values.mebibytes)];
const areFlat = websockets === 0 || (await tryWebSockets(websockets, Number(values.rounds)));
const isFlat = mebibytes === 0 || (await tryStream(mebibytes));
if (!areFlat || !isFlat) console.log(`FAULT: whole responses are wanted, and growth below ${values.limit} MiB`);
process.exitCode = areFlat && isFlat ? 0 : 1;
