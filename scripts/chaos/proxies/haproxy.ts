// HAProxy with the basic settings of its manual, or tuned for availability: fast checks, `observe` on live traffic, short
// timeouts per try and retries at other servers where the method allows it. Thread: main.

import { haproxy as peer } from '../../peers/haproxy.ts';
import { PEER_SETTINGS, type PeerSettings, peerSettings, type Proxy, type ProxySetup } from './proxy.ts';

export const haproxy: Proxy = {
  ...peer,
  balances: (balance) => balance !== 'peak-ewma',
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

function configuration(setup: ProxySetup, port: number): string {
  return setup.profile.name === 'defaults' ? basic(setup, port) : recommended(setup, port);
}

/**
 * HAProxy Configuration Manual 2.6, section 2.6 "Examples" (the HTTP proxy), with the timeouts of that example;
 * `balance roundrobin`, `option httpchk` and `option redispatch` as chapter 4 describes them, and `default-server check`
 * of chapter 5. The connection limits of the example are left out: they would limit the load.
 */
function basic({ workers, endpointPorts }: ProxySetup, port: number): string {
  return `
global
  nbthread ${workers}
  maxconn 8192
defaults
  mode http
  timeout connect 5000ms
  timeout client 50000ms
  timeout server 50000ms
  option redispatch
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance roundrobin
  option httpchk GET /health
  default-server check
${servers(endpointPorts)}
`;
}

function recommended({ endpointPorts, workers, profile }: ProxySetup, port: number): string {
  const settings = peerSettings(profile);
  return `
global
  nbthread ${workers}
  maxconn 8192
defaults
  mode http
  timeout connect ${PEER_SETTINGS.connectMs}ms
  timeout client 75s
  timeout http-keep-alive 75s
  timeout server ${settings.responseMs}ms
  timeout queue ${settings.queueMs}ms
  timeout check ${PEER_SETTINGS.checkTimeoutMs}ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response junk-response response-timeout 503
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance ${settings.balance === 'round-robin' ? 'roundrobin' : 'leastconn'}
  option httpchk GET /health
  http-check expect status 200
  http-request disable-l7-retry if METH_POST
${tryTimeout(settings)}
  default-server check inter 200ms fastinter 100ms downinter 200ms fall 1 rise 2
  default-server observe layer7 error-limit 1 on-error mark-down ${limit(settings)}
${servers(endpointPorts)}
`;
}

/** A POST is never retried, so it gets the whole timeout. */
function tryTimeout({ tryMs }: PeerSettings): string {
  return tryMs === null ? '' : `  http-request set-timeout server ${tryMs}ms if !METH_POST`;
}

function limit({ maxConnections }: PeerSettings): string {
  return maxConnections === 0 ? '' : `maxconn ${maxConnections}`;
}

function servers(endpointPorts: readonly number[]): string {
  return endpointPorts.map((endpoint, index) => `  server e${index + 1} 127.0.0.1:${endpoint}`).join('\n');
}
