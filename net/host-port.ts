// Text forms of hosts, addresses and ports: the one place that writes and splits `host:port`. Thread: both.

import { type AddressInfo, isIPv4 } from 'node:net';
import { canonicalAddress } from '../core/address.ts';
import type { BindAddress } from '../core/snapshot/listener.ts';

/** `[host]:port` or `host:port`; the port is optional. An IPv6 address without brackets doesn't match. */
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:[\]]*))?$/;

/** Puts an IPv6 address in brackets, as URLs and Host fields need it (RFC 3986 section 3.2.2). */
export function bracketHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Removes the brackets of an IPv6 address. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** `10.0.0.1:80`, `[::1]:80`, `:80` for a host of ''. */
export function formatHostPort(host: string, port: number): string {
  return `${bracketHost(host)}:${port}`;
}

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly isBracketed: boolean;
  /** As written and unchecked; null where there is no colon. */
  readonly port: string | null;
}

/** Splits `host:port`, `[ipv6]:port`, or one of them without a port; null for any other text. */
export function splitHostPort(text: string): HostPort | null {
  const match = HOST_PORT.exec(text);
  if (match === null) return null;
  return { host: match[1] ?? match[2] ?? '', isBracketed: match[1] !== undefined, port: match[3] ?? null };
}

/** The host of a Host field or authority that is valid, brackets included. On the request path: allocates no match. */
export function authorityHost(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  if (end === -1) return authority;
  return authority.slice(0, end);
}

/**
 * An address as logs, hashes and X-Forwarded-For carry it. A dual-stack socket reports IPv4 peers as IPv4-mapped
 * addresses: those become IPv4. A zone is removed; '' where there is no address.
 */
export function plainAddress(address: string | undefined): string {
  return address === undefined ? '' : canonicalAddress(address);
}

/** Whether only this machine can reach an address. `localhost` is the only name that counts. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const address = plainAddress(host);
  return isIPv4(address) && address.startsWith('127.');
}

/** An address to bind as the configuration writes it: `host:port`, `[::1]:port`, `unix:/path`, `fd:3`, `fd:web`. */
export function formatBindAddress(bind: BindAddress): string {
  switch (bind.kind) {
    case 'tcp':
      return formatHostPort(bind.host, bind.port);
    case 'unix':
      return `unix:${bind.path}`;
    default:
      return `fd:${bind.fd}`;
  }
}

/** The address of a bound server, with the port that the system chose; 0 where there is none. */
export function boundAddress(bind: BindAddress, bound: AddressInfo | string | null): { address: string; port: number } {
  if (bound === null || typeof bound === 'string') return { address: formatBindAddress(bind), port: 0 };
  return { address: formatHostPort(bound.address, bound.port), port: bound.port };
}

/** An IPv6 address as URLs and Host fields carry it: in brackets, in the form of RFC 5952. */
export function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname;
}
