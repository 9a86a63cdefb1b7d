// http-proxy-3: a program of a few lines around the library, one process. Thread: main.

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../load/fairlead-process.ts';
import { Program } from '../program.ts';
import { type Proxy, type ProxySetup, type RunningProxy, withoutAccessLog } from './proxy.ts';

const SERVER = fileURLToPath(new URL('./http-proxy-3-server.ts', import.meta.url));

export const httpProxy3: Proxy = {
  name: 'http-proxy-3',
  title: 'http-proxy-3',
  install: 'npm ci',
  version,
  refusal: (setup) => (setup.workers > 1 ? 'has no workers of its own' : withoutAccessLog(setup)),
  start,
};

function version(): string | null {
  try {
    return JSON.parse(readFileSync(findPackageJSON('http-proxy-3', import.meta.url)!, 'utf8')).version;
  } catch {
    return null;
  }
}

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const { originPort, certificate } = setup;
  const port = await freePort();
  const files = certificate === null ? [] : [certificate.cert, certificate.key];
  const args = [SERVER, String(port), String(originPort), ...files];
  return Program.start({ ...setup, command: process.execPath, args, port });
}
