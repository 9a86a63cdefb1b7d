// Caddy: one process, GOMAXPROCS as many as workers, HTTP/1.1 only. Thread: main.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../load/fairlead-process.ts';
import { Program, versionText } from '../program.ts';
import { type Proxy, type ProxySetup, type RunningProxy, withoutAccessLog } from './proxy.ts';

export const caddy: Proxy = {
  name: 'caddy',
  title: 'Caddy',
  install: 'scripts/install-peers.sh caddy',
  version: () => /^v?(\d\S*)/.exec(versionText('caddy', 'version') ?? '')?.[1] ?? null,
  refusal: withoutAccessLog,
  start,
};

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const { folder, workers } = setup;
  const port = await freePort();
  const file = join(folder, 'Caddyfile');
  writeFileSync(file, configuration(setup, port));
  const args = ['run', '--config', file, '--adapter', 'caddyfile'];
  const env = { GOMAXPROCS: String(workers), HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return Program.start({ ...setup, command: 'caddy', args, port, env });
}

function configuration({ originPort, certificate }: ProxySetup, port: number): string {
  const tls = certificate === null ? '' : `tls ${certificate.cert} ${certificate.key}`;
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
  servers {
    protocols h1
  }
}
${certificate === null ? 'http' : 'https'}://:${port} {
  bind 127.0.0.1
  ${tls}
  reverse_proxy 127.0.0.1:${originPort} {
    transport http {
      versions 1.1
      compression off
      keepalive_idle_conns 64
      keepalive_idle_conns_per_host 64
    }
  }
}
`;
}
