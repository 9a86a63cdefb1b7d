// HAProxy, tuned for availability: fast checks, `observe` on live traffic, short timeouts per try and retries at other
// servers where the method allows it. Thread: main.

import { haproxy as peer } from '../../peers/haproxy.ts';
import type { Proxy, ProxySetup, Tuning } from './proxy.ts';

export const haproxy: Proxy = {
  ...peer,
  balances: (balance) => balance !== 'peak-ewma',
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

function configuration({ endpointPorts, workers, tuning }: ProxySetup, port: number): string {
  const servers = endpointPorts.map((endpoint, index) => `  server e${index + 1} 127.0.0.1:${endpoint}`);
  return `
global
  nbthread ${workers}
  maxconn 8192
defaults
  mode http
  timeout connect 300ms
  timeout client 75s
  timeout http-keep-alive 75s
  timeout server ${tuning.responseMs}ms
  timeout queue ${tuning.queueMs}ms
  timeout check 300ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response junk-response response-timeout 503
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance ${tuning.balance === 'round-robin' ? 'roundrobin' : 'leastconn'}
  option httpchk GET /health
  http-check expect status 200
  http-request disable-l7-retry if METH_POST
${tryTimeout(tuning)}
  default-server check inter 200ms fastinter 100ms downinter 200ms fall 1 rise 2
  default-server observe layer7 error-limit 1 on-error mark-down ${limit(tuning)}
${servers.join('\n')}
`;
}

/** A POST is never retried, so it gets the whole timeout. */
function tryTimeout({ tryMs }: Tuning): string {
  return tryMs === null ? '' : `  http-request set-timeout server ${tryMs}ms if !METH_POST`;
}

function limit({ maxConnections }: Tuning): string {
  return maxConnections === 0 ? '' : `maxconn ${maxConnections}`;
}
