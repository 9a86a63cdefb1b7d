// Makes the connection of a heartbeat: TCP or a Unix socket, always a new one, so that the endpoint's accept path is
// tested too. Thread: main.

import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { HeartbeatTarget } from './checker.ts';

/** The port that the heartbeat goes to; 0 for a Unix socket. */
function heartbeatPort({ endpoint, heartbeat }: HeartbeatTarget): number {
  return heartbeat.port === 0 ? endpoint.port : heartbeat.port;
}

/**
 * Opens a connection to the endpoint. Events say how it went, as with node:net; the caller handles 'error'. May throw
 * what node:net throws at once.
 */
export function dial(target: HeartbeatTarget): Socket {
  const { socketPath } = target.endpoint;
  if (socketPath !== '') return connectTcp({ path: socketPath });
  return connectTcp({ host: bareHost(target.endpoint.host), port: heartbeatPort(target), noDelay: true });
}

/**
 * Speaks TLS over a connection that is open. Certificates are held against the upstream's CAs and name, as those of
 * live traffic are: a heartbeat that trusts more than traffic does would call an impostor healthy.
 * @param protocol what is offered by ALPN (RFC 7301)
 */
export function secure(
  socket: Socket,
  { endpoint, upstream }: HeartbeatTarget,
  protocol: 'http/1.1' | 'h2',
): TLSSocket {
  const host = bareHost(endpoint.host);
  const name = upstream.tls.serverName === '' ? host : upstream.tls.serverName;
  const ca = upstream.tls.ca.length === 0 ? undefined : [...upstream.tls.ca];
  // RFC 6066 section 3: no address as a server name. The address is still what the certificate is held against.
  const servername = isIP(name) === 0 ? name : '';
  return connectTls({
    socket,
    host: name,
    servername,
    rejectUnauthorized: upstream.tls.verify,
    ca,
    ALPNProtocols: [protocol],
  });
}

/** What the Host field says (RFC 9112 section 3.2): what is configured, or the endpoint's own address. */
export function hostField(target: HeartbeatTarget<{ readonly host: string }>): string {
  const { endpoint, heartbeat } = target;
  if (heartbeat.host !== '') return heartbeat.host;
  if (endpoint.socketPath !== '') return 'localhost';
  const bare = bareHost(endpoint.host);
  const host = isIPv6(bare) ? `[${bare}]` : bare;
  const port = heartbeatPort(target);
  const isDefault = port === (endpoint.protocol === 'https' ? 443 : 80);
  return isDefault ? host : `${host}:${port}`;
}

/**
 * Destroys the sockets of one connection, the outermost first: where the TCP socket goes before the TLS socket around
 * it, in the turn of `secureConnect`, Node 26.10 crashes.
 * @param sockets in the order in which they were made
 */
export function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets.toReversed()) socket.destroy();
}

/**
 * Whether a connection to a loopback port ended at itself: a connect to a port of the ephemeral range that nobody
 * listens at may be given that very port as its own (TCP simultaneous open, RFC 9293 section 3.5), and succeeds.
 */
export function isSelfConnected(socket: Socket): boolean {
  return (
    socket.localPort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  );
}

/** An IPv6 address without the brackets that a URL puts around it. */
function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
