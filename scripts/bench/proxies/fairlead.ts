// Fairlead with our HTTP/1.1 and HTTP/2 engines, or with the general path alone. Heartbeats, ejection, retries and metrics are on, as
// users run it. Thread: main.

import { join } from 'node:path';
import { FairleadProcess } from '../../peers/fairlead-process.ts';
import { endWithUs } from '../../peers/program.ts';
import { fairleadVersion } from '../versions.ts';
import type { Proxy, ProxySetup, RunningProxy } from './proxy.ts';

interface Ports {
  readonly web: number;
  readonly admin: number;
}

export const fairlead: Proxy = {
  name: 'fairlead',
  title: 'Fairlead',
  install: 'npm ci',
  version: fairleadVersion,
  refusal: () => null,
  start: (setup) => start(setup, 'fastPath: true'),
};

export const fairleadGeneral: Proxy = {
  ...fairlead,
  name: 'fairlead-general',
  title: 'Fairlead, general path',
  start: (setup) => start(setup, 'fastPath: false'),
};

/** @param yaml further top-level keys */
export function fairleadWith(name: string, title: string, yaml: (setup: ProxySetup) => string): Proxy {
  return { ...fairlead, name, title, start: (setup) => start(setup, yaml(setup)) };
}

async function start(setup: ProxySetup, yaml: string): Promise<RunningProxy> {
  const process = await FairleadProcess.start(
    (ports) => configuration(setup, ports, yaml),
    ['taskset', '-c', setup.cores],
  );
  endWithUs(process.child);
  return {
    port: Number(new URL(process.url).port),
    pid: process.child.pid!,
    note: () => handOffs(process.adminUrl),
    stop: async () => {
      await process.stop();
    },
  };
}

function configuration(setup: ProxySetup, ports: Ports, yaml: string): string {
  const { certificate, hasAccessLog, isHttp2, gzipLevel } = setup;
  // The effort balanced is level 4 of gzip.
  const clear = isHttp2 ? ', http2: true' : '';
  const tls =
    certificate === null ? clear : `, tls: { certificates: [{ cert: ${certificate.cert}, key: ${certificate.key} }] }`;
  return `
workers: ${setup.workers}
${yaml}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}"${tls} }]
limits: { requestsPerConnection: none }
routes: [{ upstream: app${gzipLevel > 0 ? ', compress: { codings: [gzip], effort: balanced }' : ''} }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${setup.originPort}"]
    health: { heartbeat: { path: /small, interval: 2s, timeout: 1s } }
admin: { bind: "127.0.0.1:${ports.admin}" }
${hasAccessLog ? `accessLog: { format: json, output: ${join(setup.folder, 'access.log')} }` : ''}
log: { level: warn }
shutdown: { grace: 1s }
`;
}

/** Reports how many connections were handed off: the engine under test did not serve their requests. */
async function handOffs(adminUrl: string): Promise<string | null> {
  const text = await (await fetch(`${adminUrl}/metrics?scope=listener`)).text();
  const count = Number(/^fairlead_listener_hand_offs_total\S* (\d+)$/m.exec(text)?.[1] ?? 0);
  return count === 0 ? null : `${count} connections went from the fast path to the general path`;
}
