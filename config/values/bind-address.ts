// Bind addresses: `0.0.0.0:8080`, `[::]:443`, `:8080`, `unix:/run/x.sock`, `fd:3`, `fd:web`. Thread: main.

import type { BindAddress } from '../../core/snapshot/listener.ts';
import { splitHostPort } from '../../net/host-port.ts';
import { isHost, parsePort } from '../../net/host-name.ts';
import { quoted, type Parsed } from './parsed.ts';

/** Longest path that fits into a sockaddr_un on Linux, without the terminating zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;
/** Descriptor names (sd_listen_fds_with_names(3)) that can't be mistaken for a number. */
const SOCKET_NAME = /^[A-Za-z_][\w.@-]{0,254}$/;
const FORMS = 'write host:port, [ipv6]:port, :port, unix:/path, fd:3 or fd:name';

/**
 * Parses a bind address. A host of '' means every address of the machine: IPv6 and IPv4 if IPv6 is available, otherwise
 * IPv4. Port 0 lets the system choose.
 */
export function parseBindAddress(text: string): Parsed<BindAddress> {
  if (text.startsWith('unix:')) return parseUnixAddress(text);
  if (text.startsWith('fd:')) return parseDescriptor(text);
  const parts = splitHostPort(text);
  if (parts === null || parts.port === null || !/^\d*$/.test(parts.port)) return fault(text, meantBy(text));
  const port = parsePort(parts.port, 0);
  if (port === null) return { ok: false, message: `${quoted(text)} has no port from 0 to 65535: ${FORMS}` };
  const { host, isBracketed } = parts;
  if (!isBracketed && (host === '' || host === '*')) return tcp('', port);
  if (!isHost(host) || (isBracketed && !host.includes(':'))) return fault(text, undefined);
  return tcp(host.toLowerCase(), port);
}

/** Parses `unix:/path`; the path must be absolute and fit into a socket address. */
export function parseUnixAddress(text: string): Parsed<{ kind: 'unix'; path: string }> {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/') || path.includes('\0')) {
    return { ok: false, message: `${quoted(text)} needs an absolute path, such as unix:/run/fairlead.sock` };
  }
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    return {
      ok: false,
      message: `${quoted(text)} is too long: a socket path has at most ${LONGEST_SOCKET_PATH} bytes`,
    };
  }
  return { ok: true, value: { kind: 'unix', path } };
}

function parseDescriptor(text: string): Parsed<BindAddress> {
  const digits = text.slice('fd:'.length);
  if (/^\d{1,5}$/.test(digits) && Number(digits) >= 3) return { ok: true, value: { kind: 'fd', fd: Number(digits) } };
  if (SOCKET_NAME.test(digits)) return { ok: true, value: { kind: 'fd', fd: digits } };
  const message = `${quoted(text)} is not an inherited socket: write fd:NUMBER (3 or higher) or fd:NAME with systemd's FileDescriptorName=, such as fd:3 or fd:web`;
  return { ok: false, message };
}

function tcp(host: string, port: number): Parsed<BindAddress> {
  return { ok: true, value: { kind: 'tcp', host, port } };
}

/** The bind address that a port alone, a URL, a path or a host without a port stands for. */
function meantBy(text: string): string | undefined {
  if (/^\d+$/.test(text)) return `:${text}`;
  if (text.startsWith('/')) return `unix:${text}`;
  const [, scheme, authority = text] = /^([a-z]+):\/\/([^/]+)\/?$/i.exec(text) ?? [];
  const parts = splitHostPort(authority);
  if (parts === null || !isHost(parts.host)) return undefined;
  if (parts.port !== null) return scheme === undefined ? undefined : authority;
  return `${authority}:${scheme === 'https' ? 443 : scheme === 'http' ? 80 : 8080}`;
}

function fault(text: string, suggestion: string | undefined): Parsed<BindAddress> {
  const hint = suggestion === undefined ? ', such as 0.0.0.0:8080' : `; did you mean ${suggestion}?`;
  return { ok: false, message: `${quoted(text)} is not a bind address: ${FORMS}${hint}`, suggestion };
}
