// Endpoint addresses: `http://10.0.0.1:3000`, `https://app.internal`, `tcp://10.0.0.1:5432`, `unix:/run/app.sock`.
// Thread: main.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { formatHostPort, splitHostPort } from '../../net/host-port.ts';
import { parseUnixAddress } from './bind-address.ts';
import { isHost, parsePort } from '../../net/host-name.ts';
import { quoted, type Parsed } from './parsed.ts';

/** Address and protocol of an endpoint. */
export interface EndpointAddress {
  readonly protocol: EndpointSnapshot['protocol'];
  /** Host name or IP address, lower case, IPv6 without brackets; 'localhost' for a Unix socket. */
  readonly host: string;
  /** 1..65535; 0 for a Unix socket. */
  readonly port: number;
  /** Path of a Unix socket; '' for TCP. */
  readonly socketPath: string;
}

/** Protocols over plain TCP and TLS have no default port. */
const DEFAULT_PORTS: Readonly<Record<EndpointAddress['protocol'], number | null>> = {
  http: 80,
  https: 443,
  tcp: null,
  tls: null,
};
const FORMS = 'write http://host:port, https://host:port, tcp://host:port, tls://host:port or unix:/path';
const HTTP2_RULE = ' HTTP/2 to endpoints is upstreams.NAME.protocol: http2';

/** Whether an endpoint serves TCP sessions, instead of HTTP. */
export function isTcpAddress({ protocol }: EndpointAddress): boolean {
  return protocol === 'tcp' || protocol === 'tls';
}

/** Parses the URL of an endpoint: scheme, host and port only. */
export function parseEndpointAddress(text: string): Parsed<EndpointAddress> {
  if (text.startsWith('unix:')) {
    const parsed = parseUnixAddress(text);
    if (!parsed.ok) return parsed;
    return { ok: true, value: { protocol: 'http', host: 'localhost', port: 0, socketPath: parsed.value.path } };
  }
  const match = /^(https?|tcp|tls):\/\/([^/?#]*)(.*)$/is.exec(text);
  if (match === null) return fault(text, suggestionFor(text), /^(?:h2c?|grpcs?):/i.test(text) ? HTTP2_RULE : '');
  const [, scheme = '', authority = '', rest = ''] = match;
  if (authority.includes('@'))
    return { ok: false, message: 'an endpoint URL has no user name or password: remove the part before @' };
  if (rest !== '' && rest !== '/') {
    const message = `${quoted(rest)} is not allowed here: an endpoint URL has no path, query or fragment; requests keep their own`;
    return { ok: false, message, suggestion: `${scheme}://${authority}` };
  }
  return parseAuthority(text, scheme.toLowerCase() as EndpointAddress['protocol'], authority);
}

function parseAuthority(
  text: string,
  protocol: EndpointAddress['protocol'],
  authority: string,
): Parsed<EndpointAddress> {
  const parts = splitHostPort(authority);
  if (parts === null) return fault(text, undefined);
  const { host, isBracketed } = parts;
  if (!isHost(host) || (isBracketed && !host.includes(':'))) return fault(text, undefined);
  const port = parts.port === null ? DEFAULT_PORTS[protocol] : parsePort(parts.port, 1);
  if (port === null && parts.port === null) {
    return {
      ok: false,
      message: `${quoted(text)} has no port, and ${protocol}:// has no default one: write ${protocol}://${authority}:PORT`,
    };
  }
  if (port === null) return { ok: false, message: `${quoted(parts.port ?? '')} is not a port: ports are 1 to 65535` };
  return { ok: true, value: { protocol, host: host.toLowerCase(), port, socketPath: '' } };
}

function suggestionFor(text: string): string | undefined {
  const parts = /^(?:([a-z0-9+]+):\/\/)?([a-z0-9._-]+|\[[0-9a-f:.]+\])?(:\d{1,5})$/i.exec(text);
  if (parts === null) return undefined;
  const [, scheme = '', host = '127.0.0.1', port] = parts;
  return `${/^(?:wss|h2|grpcs)$/i.test(scheme) ? 'https' : 'http'}://${host}${port}`;
}

function fault(text: string, suggestion: string | undefined, rule = ''): Parsed<EndpointAddress> {
  const hint = suggestion === undefined ? ', such as http://10.0.0.1:3000' : `; did you mean ${suggestion}?`;
  return { ok: false, message: `${quoted(text)} is not an endpoint URL: ${FORMS}${hint}${rule}`, suggestion };
}

/** Identity of an endpoint within its upstream: `host:port`, or its socket path. */
export function endpointId(address: EndpointAddress): string {
  return address.socketPath === '' ? formatHostPort(address.host, address.port) : address.socketPath;
}
