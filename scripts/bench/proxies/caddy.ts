// Caddy: one process, GOMAXPROCS as many as workers. Thread: main.

import { caddy as peer } from '../../peers/caddy.ts';
import { type Proxy, type ProxySetup, plainOnly } from './proxy.ts';

export const caddy: Proxy = {
  ...peer,
  refusal: plainOnly,
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

function configuration({ originPort, certificate, isHttp2 }: ProxySetup, port: number): string {
  const tls = certificate === null ? '' : `tls ${certificate.cert} ${certificate.key}`;
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
  servers {
    protocols ${isHttp2 ? (certificate === null ? 'h1 h2c' : 'h1 h2') : 'h1'}
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
