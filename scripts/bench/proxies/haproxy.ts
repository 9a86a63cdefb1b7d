// HAProxy: one process, as many threads as workers, connections to the origin shared. Thread: main.

import { haproxy as peer } from '../../peers/haproxy.ts';
import { type Proxy, type ProxySetup, plainOnly } from './proxy.ts';

export const haproxy: Proxy = {
  ...peer,
  refusal: plainOnly,
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

/** Buffers of 32 or 64 KiB and splicing were tried: over the cases with bodies they cost more than they save. */
function configuration({ originPort, workers, certificate, isHttp2 }: ProxySetup, port: number): string {
  const clear = isHttp2 ? ' proto h2' : '';
  const tls = certificate === null ? clear : ` ssl crt ${certificate.both} alpn ${isHttp2 ? 'h2' : 'http/1.1'}`;
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
