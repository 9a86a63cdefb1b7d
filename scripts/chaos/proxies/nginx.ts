// nginx with the basic settings of its documentation, or tuned for availability: a server is skipped for a second after
// one failure, tries have short timeouts and are repeated at other servers where the method allows it. nginx has no
// active checks. Thread: main.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginx as peer, nginxPreamble } from '../../peers/nginx.ts';
import {
  PEER_SETTINGS,
  type PeerSettings,
  peerSettings,
  type Proxy,
  type ProxySetup,
  type RunningProxy,
} from './proxy.ts';

export const nginx: Proxy = { ...peer, balances: (balance) => balance !== 'peak-ewma', start };

async function start(setup: ProxySetup): Promise<RunningProxy> {
  const running = await peer.start(setup, (port) => configuration(setup, port));
  return {
    port: running.port,
    notes: async () => (await readFile(join(setup.folder, 'nginx.log'), 'utf8')).split('\n'),
    stop: () => running.stop(),
  };
}

function configuration(setup: ProxySetup, port: number): string {
  return setup.profile.name === 'defaults' ? basic(setup, port) : recommended(setup, port);
}

/**
 * nginx.org, "Using nginx as HTTP load balancer", section "Default load balancing configuration", with the connections of
 * the example for `keepalive` in "Module ngx_http_upstream_module". All other directives of the proxy have their defaults.
 */
function basic({ folder, endpointPorts, workers }: ProxySetup, port: number): string {
  return `${nginxPreamble(folder, workers)}
  upstream app {
${endpointPorts.map((endpoint) => `    server 127.0.0.1:${endpoint};`).join('\n')}
    keepalive 16;
  }
  server {
    listen ${listenAddress(port, workers)};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

/**
 * The zone shares the state of endpoints between workers. Every endpoint is listed again as a backup that is never
 * skipped: without it, one failure of the last good one fails all requests for a second ("no live upstreams"). A POST is
 * never retried, so it gets the whole timeout.
 */
function recommended({ folder, endpointPorts, workers, profile }: ProxySetup, port: number): string {
  const settings = peerSettings(profile);
  const primaries = endpointPorts.map(
    (endpoint) => `    server 127.0.0.1:${endpoint} max_fails=1 fail_timeout=1s${limit(settings)};`,
  );
  const backups = endpointPorts.map(
    (endpoint) => `    server 127.0.0.1:${endpoint} max_fails=0 backup${limit(settings)};`,
  );
  return `${nginxPreamble(folder, workers)}
  client_body_buffer_size 64k;
  upstream app {
    zone app 256k;
    ${settings.balance === 'round-robin' ? '' : 'least_conn;'}
${[...primaries, ...backups].join('\n')}
    keepalive 64;
    keepalive_requests 1000000000;
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_connect_timeout ${PEER_SETTINGS.connectMs}ms;
  proxy_next_upstream error timeout invalid_header http_502 http_503 http_504;
  proxy_next_upstream_tries 5;
  server {
    listen ${listenAddress(port, workers)};
    location / {
      error_page 418 = @post;
      if ($request_method = POST) { return 418; }
      proxy_pass http://app;
      proxy_read_timeout ${settings.tryMs ?? settings.responseMs}ms;
    }
    location @post {
      proxy_pass http://app;
      proxy_read_timeout ${settings.responseMs}ms;
    }
  }
}
`;
}

function limit({ maxConnections }: PeerSettings): string {
  return maxConnections === 0 ? '' : ` max_conns=${maxConnections}`;
}

function listenAddress(port: number, workers: number): string {
  return `127.0.0.1:${port} backlog=4096${workers > 1 ? ' reuseport' : ''}`;
}
