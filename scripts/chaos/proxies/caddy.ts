// Caddy, tuned for availability: active and passive checks, retries at other endpoints for two seconds. It retries no
// request because of its status. Thread: main.

import { caddy as peer } from '../../peers/caddy.ts';
import type { Proxy, ProxySetup, Tuning } from './proxy.ts';

export const caddy: Proxy = {
  ...peer,
  balances: (balance) => balance !== 'peak-ewma',
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

/** A POST is never retried, so it gets the whole timeout. Both blocks share the state of the endpoints. */
function configuration({ endpointPorts, tuning }: ProxySetup, port: number): string {
  const endpoints = endpointPorts.map((endpoint) => `127.0.0.1:${endpoint}`).join(' ');
  return `
{
  admin off
  auto_https off
  log {
    level PANIC
  }
  servers {
    protocols h1
  }
}
http://:${port} {
  bind 127.0.0.1
  @post method POST
  handle @post {
    reverse_proxy ${endpoints} {
      ${settings(tuning, tuning.responseMs)}
    }
  }
  handle {
    reverse_proxy ${endpoints} {
      ${settings(tuning, tuning.tryMs ?? tuning.responseMs)}
    }
  }
}
`;
}

function settings({ balance, queueMs, maxConnections }: Tuning, responseMs: number): string {
  return `
      lb_policy ${balance === 'round-robin' ? 'round_robin' : 'least_conn'}
      lb_try_duration ${Math.max(queueMs, 2000)}ms
      lb_try_interval 20ms
      health_uri /health
      health_interval 500ms
      health_timeout 300ms
      health_status 200
      fail_duration 1s
      max_fails 1
      unhealthy_status 502 503 504
      ${maxConnections === 0 ? '' : `unhealthy_request_count ${maxConnections}`}
      transport http {
        versions 1.1
        compression off
        dial_timeout 300ms
        response_header_timeout ${responseMs}ms
        keepalive_idle_conns_per_host 64
      }`;
}
