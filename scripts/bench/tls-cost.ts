// Cost of TLS on kept connections: CPU time of a small request in cleartext and over TLS, for a bare Node server, HAProxy and
// Fairlead in turns. Usage: npm run bench:tls [-- ROUNDS]. Thread: main.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../peers/free-port.ts';
import { preparePrograms, Program } from '../peers/program.ts';
import { makeCertificate } from '../peers/self-signed-certificate.ts';
import { CASES } from './cases.ts';
import { measure } from './measure.ts';
import { startOrigin } from './origin.ts';
import { fairlead } from './proxies/fairlead.ts';
import { haproxy } from './proxies/haproxy.ts';
import type { Proxy } from './proxies/proxy.ts';
import { median } from './summary.ts';
import { readArguments } from '../usage.ts';

const USAGE = `npm run bench:tls -- [ROUNDS]
Measures the cost of TLS on kept connections, for a bare Node server, HAProxy and Fairlead in turns.`;
const { positionals } = readArguments(USAGE, {}, 1);

const SERVER = join(import.meta.dirname, 'bare-server.ts');
const DEFAULT_ROUNDS = 3;

const bareServer: Proxy = {
  name: 'bare-server',
  title: 'bare Node server',
  install: 'npm ci',
  version: () => process.version,
  refusal: () => null,
  start: async ({ certificate, cores, folder }) => {
    const port = await freePort();
    const files = certificate === null ? [] : [certificate.cert, certificate.key];
    return Program.start({ command: process.execPath, args: [SERVER, String(port), ...files], cores, folder, port });
  },
};

preparePrograms();
const folder = mkdtempSync(join(tmpdir(), 'fairlead-tls-cost-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const [rounds = DEFAULT_ROUNDS] = positionals.map(Number);
const cores = { proxy: '0', load: '1', second: '1' };
const origin = await startOrigin(folder, cores.load);
const certificate = makeCertificate(folder);
const around = { folder, originPort: origin.port, certificate, cores, seconds: 4, warmupSeconds: 8, connections: 64 };
const proxies = [bareServer, haproxy, fairlead];
const cases = ['small', 'tls'].map((name) => CASES.find((one) => one.name === name)!);
const samples = new Map<string, number[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const benchCase of cases) {
    for (const proxy of proxies) {
      const key = `${proxy.name} ${benchCase.name}`;
      const { cpuUs } = await measure(proxy, benchCase, around);
      samples.set(key, [...(samples.get(key) ?? []), cpuUs]);
    }
  }
}
for (const { name, title } of proxies) {
  const [small, tls] = cases.map((benchCase) => median(samples.get(`${name} ${benchCase.name}`)!));
  const text = `${title}: ${small!.toFixed(1)} us in cleartext, ${tls!.toFixed(1)} over TLS`;
  console.log(`${text}: TLS adds ${(tls! - small!).toFixed(1)}`);
}
await origin.stop();
