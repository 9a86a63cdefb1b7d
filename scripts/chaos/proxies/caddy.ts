// Caddy with the basic settings of its documentation, or tuned for availability: active and passive checks, retries at
// other endpoints for two seconds. It retries no request because of its status. Thread: main.

import { caddy as peer } from '../../peers/caddy.ts';
import { PEER_SETTINGS, type PeerSettings, peerSettings, type Proxy, type ProxySetup } from './proxy.ts';

export const caddy: Proxy = {
  ...peer,
  balances: (balance) => balance !== 'peak-ewma',
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

function configuration({ endpointPorts, profile }: ProxySetup, port: number): string {
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
${profile.name === 'defaults' ? basic(endpoints) : recommended(endpoints, peerSettings(profile))}
}
`;
}

/**
 * Caddy documentation, directive `reverse_proxy`: a policy of section "Load balancing" and the one required option of
 * section "Active health checks". All other options have their defaults.
 */
function basic(endpoints: string): string {
  return `
  reverse_proxy ${endpoints} {
    lb_policy least_conn
    health_uri /health
  }`;
}

/** A POST is never retried, so it gets the whole timeout. Both blocks share the state of the endpoints. */
function recommended(endpoints: string, settings: PeerSettings): string {
  return `
  @post method POST
  handle @post {
    reverse_proxy ${endpoints} {
      ${options(settings, settings.responseMs)}
    }
  }
  handle {
    reverse_proxy ${endpoints} {
      ${options(settings, settings.tryMs ?? settings.responseMs)}
    }
  }`;
}

function options({ balance, queueMs, maxConnections }: PeerSettings, responseMs: number): string {
  return `
      lb_policy ${balance === 'round-robin' ? 'round_robin' : 'least_conn'}
      lb_try_duration ${Math.max(queueMs, 2000)}ms
      lb_try_interval 20ms
      health_uri /health
      health_interval 500ms
      health_timeout ${PEER_SETTINGS.checkTimeoutMs}ms
      health_status 200
      fail_duration 1s
      max_fails 1
      unhealthy_status 502 503 504
      ${maxConnections === 0 ? '' : `unhealthy_request_count ${maxConnections}`}
      transport http {
        versions 1.1
        compression off
        dial_timeout ${PEER_SETTINGS.connectMs}ms
        response_header_timeout ${responseMs}ms
        keepalive_idle_conns_per_host 64
      }`;
}
