// nginx, tuned for availability: a server is skipped for a second after one failure, tries have short timeouts and are
// repeated at other servers where the method allows it. nginx has no active checks. Thread: main.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginx as peer, nginxPreamble } from '../../peers/nginx.ts';
import type { Proxy, ProxySetup, RunningProxy, Tuning } from './proxy.ts';

export const nginx: Proxy = { ...peer, balances: (balance) => balance !== 'peak-ewma', start };

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const running = await peer.start(setup, (port) => configuration(setup, port));
  return {
    port: running.port,
    notes: async () => (await readFile(join(setup.folder, 'nginx.log'), 'utf8')).split('\n'),
    stop: () => running.stop(),
  };
}

/**
 * The zone shares the state of endpoints between workers. Every endpoint is listed again as a backup that is never
 * skipped: without it, one failure of the last good one fails all requests for a second ("no live upstreams"). A POST is
 * never retried, so it gets the whole timeout.
 */
function configuration({ folder, endpointPorts, workers, tuning }: ProxySetup, port: number): string {
  const primaries = endpointPorts.map(
    (endpoint) => `    server 127.0.0.1:${endpoint} max_fails=1 fail_timeout=1s${limit(tuning)};`,
  );
  const backups = endpointPorts.map(
    (endpoint) => `    server 127.0.0.1:${endpoint} max_fails=0 backup${limit(tuning)};`,
  );
  const reusePort = workers > 1 ? ' reuseport' : '';
  return `${nginxPreamble(folder, workers)}
  client_body_buffer_size 64k;
  upstream app {
    zone app 256k;
    ${tuning.balance === 'round-robin' ? '' : 'least_conn;'}
${[...primaries, ...backups].join('\n')}
    keepalive 64;
    keepalive_requests 1000000000;
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_connect_timeout 300ms;
  proxy_next_upstream error timeout invalid_header http_502 http_503 http_504;
  proxy_next_upstream_tries 5;
  server {
    listen 127.0.0.1:${port} backlog=4096${reusePort};
    location / {
      error_page 418 = @post;
      if ($request_method = POST) { return 418; }
      proxy_pass http://app;
      proxy_read_timeout ${tuning.tryMs ?? tuning.responseMs}ms;
    }
    location @post {
      proxy_pass http://app;
      proxy_read_timeout ${tuning.responseMs}ms;
    }
  }
}
`;
}

function limit({ maxConnections }: Tuning): string {
  return maxConnections === 0 ? '' : ` max_conns=${maxConnections}`;
}
