// HAProxy: one process, as many threads as workers, connections to the origin shared. Thread: main.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../load/fairlead-process.ts';
import { Program, versionText } from '../program.ts';
import { type Proxy, type ProxySetup, type RunningProxy, withoutAccessLog } from './proxy.ts';

export const haproxy: Proxy = {
  name: 'haproxy',
  title: 'HAProxy',
  install: 'scripts/install-peers.sh haproxy',
  version: () => /version (\S+)/.exec(versionText('haproxy', '-v') ?? '')?.[1] ?? null,
  refusal: withoutAccessLog,
  start,
};

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const port = await freePort();
  const file = join(setup.folder, 'haproxy.cfg');
  writeFileSync(file, configuration(setup, port));
  return Program.start({ ...setup, command: 'haproxy', args: ['-db', '-f', file], port });
}

/** Buffers of 32 or 64 KiB and splicing were tried: over the cases with bodies they cost more than they save. */
function configuration({ originPort, workers, certificate }: ProxySetup, port: number): string {
  const tls = certificate === null ? '' : ` ssl crt ${certificate.both} alpn http/1.1`;
  return `
global
  nbthread ${workers}
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend web
  bind 127.0.0.1:${port}${tls}
  default_backend app
backend app
  server origin 127.0.0.1:${originPort}
`;
}
