// Compares ways to replace a running Fairlead (`npm run takeover`): failed requests under a mixed load, and the duration of
// the longest request. --only NAME runs one way, --swaps N sets the number of replacements. Thread: main.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './peers/free-port.ts';
import { type MixedLoadResult, startMixedLoad } from './takeover/mixed-load.ts';
import { activation, crash, holder, migrating, overlap, plainClose, type Setting, type Way } from './takeover/ways.ts';
import { readArguments } from './usage.ts';

const WORKERS = 2;
/** Time under load of each process before it is replaced, in ms. */
const BETWEEN_MS = 1_000;
const LOAD = { busy: 4, pausing: 16, pauseMs: 300, fresh: 12 } as const;
const WAYS = (): Way[] => [plainClose(), overlap(), migrating(), activation(), holder(), crash(false), crash(true)];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function usage(): string {
  const names = WAYS().map(({ name }) => `"${name}"`);
  return `npm run takeover -- [--swaps 8] [--only ${names.join(' | ')}]
Replaces a running Fairlead under load in each way, and compares failed requests and the longest one.`;
}

async function settingOf(folder: string, appPort: number): Promise<Setting> {
  const file = path.join(folder, 'fairlead.yaml');
  return {
    port: await freePort(),
    workers: WORKERS,
    configure: (bind) => {
      const upstream = `{ app: { endpoints: ["http://127.0.0.1:${appPort}"], health: { heartbeat: false } } }`;
      const rest = `routes: [{ upstream: app }]\nupstreams: ${upstream}\nshutdown: { grace: 5s }\n`;
      writeFileSync(file, `workers: ${WORKERS}\nlisteners: [{ name: web, bind: "${bind}" }]\n${rest}`);
      return file;
    },
  };
}

async function measure(way: Way, setting: Setting, swaps: number): Promise<MixedLoadResult> {
  await way.start(setting);
  const load = startMixedLoad({ port: setting.port, ...LOAD });
  for (let swap = 0; swap < swaps; swap++) {
    await pause(BETWEEN_MS);
    await way.swap();
  }
  await pause(BETWEEN_MS);
  const result = await load.stop();
  await way.end();
  return result;
}

function tell(way: Way, swaps: number, result: MixedLoadResult): void {
  const { requests, connections, failed, failures, longestMs, seconds } = result;
  const kinds = [...failures].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const cells = [
    way.name,
    swaps,
    requests,
    connections,
    Math.round(requests / seconds),
    failed,
    (failed / swaps).toFixed(1),
    Math.round(longestMs),
    kinds === '' ? '-' : kinds,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

async function main(): Promise<void> {
  const { values } = readArguments(usage(), { only: { type: 'string' }, swaps: { type: 'string', default: '8' } });
  const swaps = Number(values.swaps);
  const ways = WAYS().filter(({ name }) => values.only === undefined || name === values.only);
  if (ways.length === 0 || !Number.isInteger(swaps) || swaps < 1) {
    console.error(usage());
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-takeover-'));
  const app = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await new Promise((resolve) => app.once('listening', resolve));
  const setting = await settingOf(folder, (app.address() as AddressInfo).port);
  console.log('| way | swaps | requests | connections | requests/s | failed | per swap | longest ms | what failed |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const way of ways) {
    const why = way.impossible?.() ?? null;
    if (why === null) tell(way, swaps, await measure(way, setting, swaps));
    else console.log(`| ${way.name} | not tried: ${why} |`);
  }
  app.close();
  app.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}

// Kernel settings are restored on exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main();
process.exit();
