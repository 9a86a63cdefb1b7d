// The connection of a heartbeat. Always a new one, so that the endpoint's accept path is checked too. Thread: main.

import type { Socket } from 'node:net';
import { systemTimers } from '../../core/timers.ts';
import { Dialler, type Dialling, type DialResult } from '../../net/dial.ts';
import { encodeProxyV1, encodeProxyV2, LOCAL_HEADER } from '../../net/proxy-protocol/encode.ts';
import { bareHost, bracketHost, formatHostPort } from '../../net/host-port.ts';
import type { HeartbeatTarget } from './checker.ts';

/** Port of the heartbeat; 0 for a Unix socket. */
function portOf({ endpoint, heartbeat }: HeartbeatTarget): number {
  return heartbeat.port === 0 ? endpoint.port : heartbeat.port;
}

/** Whether the endpoint's own port speaks TLS. */
export function isTls({ protocol }: HeartbeatTarget['endpoint']): boolean {
  return protocol === 'https' || protocol === 'tls';
}

/**
 * Dials the endpoint. Certificates are verified against the upstream's CAs and name, as those of live traffic are: a
 * heartbeat that trusts more would report an impostor as healthy.
 * A PROXY protocol header says that the connection is Fairlead's own (LOCAL; version 1 knows UNKNOWN only), unless the
 * heartbeat has a port of its own.
 * @param protocols offered by ALPN (RFC 7301); none connects without TLS, whatever the endpoint's protocol;
 *   `as-sessions` connects as TCP sessions do: with TLS to tls:// endpoints, and without ALPN
 * @param done receives the original error, of the system or of TLS
 */
export function connectHeartbeat(
  target: HeartbeatTarget,
  protocols: readonly ('http/1.1' | 'h2')[] | 'as-sessions',
  done: (error: unknown, socket: Socket | null) => void,
): Dialling {
  const { endpoint, upstream } = target;
  const isSession = protocols === 'as-sessions';
  const isPlain = isSession ? endpoint.protocol !== 'tls' : protocols.length === 0 || !isTls(endpoint);
  const tls = isPlain ? null : { ...upstream.tls, protocols: isSession ? [] : protocols };
  // The scheduler's timeout covers the whole heartbeat.
  const where = { host: endpoint.host, port: portOf(target), socketPath: endpoint.socketPath, tls, timeoutMs: 0 };
  const dialled: DialResult = (error, socket) => {
    socket?.on('error', ignore);
    done(error === null ? null : (error.cause ?? error), socket);
  };
  return new Dialler(where, systemTimers).dial(dialled, undefined, localHeader(target));
}

function localHeader({ upstream, heartbeat }: HeartbeatTarget): Uint8Array | null {
  if (upstream.proxyProtocol === null || heartbeat.port !== 0) return null;
  return upstream.proxyProtocol.version === 1 ? encodeProxyV1(null) : encodeProxyV2(LOCAL_HEADER);
}

/** The Host field (RFC 9112 section 3.2): as configured, or the endpoint's own address. */
export function hostField(target: HeartbeatTarget<{ readonly host: string }>): string {
  const { endpoint, heartbeat } = target;
  if (heartbeat.host !== '') return heartbeat.host;
  if (endpoint.socketPath !== '') return 'localhost';
  const host = bareHost(endpoint.host);
  const port = portOf(target);
  const isDefault = port === (isTls(endpoint) ? 443 : 80);
  return isDefault ? bracketHost(host) : formatHostPort(host, port);
}

/** Errors after the connection was made reach the code that reads from it. */
function ignore(): void {}
