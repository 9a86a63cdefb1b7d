// nginx as a proxy: as many worker processes as workers, 64 idle connections to the origin for each. Thread: main.

import { nginx as peer, nginxPreamble } from '../../peers/nginx.ts';
import { type Proxy, type ProxySetup, withoutAccessLog } from './proxy.ts';

export const nginx: Proxy = {
  ...peer,
  refusal: withoutAccessLog,
  start: (setup) => peer.start(setup, (port) => configuration(setup, port)),
};

/**
 * Without `reuseport` two workers share connections unevenly. Bodies never go through a file, and buffers larger than
 * the default ones save nginx about half of its time for bodies of 64 KiB and more.
 */
function configuration(
  { folder, originPort, workers, certificate, isHttp2, gzipLevel }: ProxySetup,
  port: number,
): string {
  const listen = `127.0.0.1:${port} backlog=4096${workers > 1 ? ' reuseport' : ''}${certificate === null ? '' : ' ssl'}${isHttp2 ? ' http2' : ''}`;
  const tls =
    certificate === null
      ? ''
      : `ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key}; ssl_protocols TLSv1.3;`;
  return `${nginxPreamble(folder, workers)}
  client_body_buffer_size 64k;
  ${gzipLevel > 0 ? `gzip on; gzip_types text/plain; gzip_proxied any; gzip_vary on; gzip_comp_level ${gzipLevel};` : ''}
  upstream app {
    server 127.0.0.1:${originPort};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen ${listen};
    ${tls}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_max_temp_file_size 0;
      proxy_buffer_size 16k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
    }
  }
}
`;
}
