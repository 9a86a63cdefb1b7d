// Address of a syslog server: `udp://host:514`, `tcp://host:601` or `unix:/path`. Thread: main.

import { isHost } from '../../net/host-name.ts';
import { quoted, type Parsed } from './parsed.ts';

export interface SyslogAddress {
  readonly transport: 'udp' | 'tcp' | 'unix';
  /** Host, or path of the socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** Ports of RFC 5426 section 3.3 and RFC 6587 (syslog-conn). */
const PORTS = { udp: 514, tcp: 601 } as const;

/** Sockets for datagrams, which Node can't send to. */
const DATAGRAM_SOCKETS: ReadonlySet<string> = new Set(['/dev/log', '/run/systemd/journal/dev-log', '/var/run/syslog']);

export function parseSyslogAddress(text: string): Parsed<SyslogAddress> {
  const refuse = (why: string): Parsed<SyslogAddress> => {
    return { ok: false, message: `${quoted(text)} is not the address of a syslog server: ${why}` };
  };
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/') || path.includes('\0'))
      return refuse('write an absolute path, as in unix:/run/syslog.sock');
    if (DATAGRAM_SOCKETS.has(path)) {
      return refuse(
        'it is a socket for datagrams, which Node.js does not support; enable UDP on 127.0.0.1 in the syslog server',
      );
    }
    return { ok: true, value: { transport: 'unix', host: path, port: 0 } };
  }
  const parts = /^(udp|tcp):\/\/(\[[0-9a-f:.]+\]|[^:/[\]]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  if (parts === null) return refuse('write udp://host:514, tcp://host:601 or unix:/path');
  const transport = parts[1]!.toLowerCase() as 'udp' | 'tcp';
  const host = parts[2]!.replace(/^\[(.*)\]$/, '$1');
  const port = Number(parts[3] ?? PORTS[transport]);
  if (!isHost(host)) return refuse(`${quoted(host)} is not a host name or IP address`);
  if (port < 1 || port > 65_535) return refuse('ports are 1 to 65535');
  return { ok: true, value: { transport, host, port } };
}
