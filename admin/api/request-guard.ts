// Who may ask the admin API at all: keeps out browsers that a foreign page has sent. Thread: main.

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../../net/host-port.ts';
import { AdminError } from './admin-reply.ts';

/** What requests on one address must be like. */
export interface CallerRules {
  /** No browser reaches a Unix socket, and clients name it as they like. */
  readonly isUnixSocket: boolean;
  /** Whether other machines reach the address: then they name it by its address. */
  readonly isRemote: boolean;
  /** Names that are ours, lower case. */
  readonly hosts: readonly string[];
  readonly scheme: 'http' | 'https';
}

/** Refuses a request that a page of another site may have caused. @throws AdminError */
export function guardCaller(headers: IncomingHttpHeaders, rules: CallerRules): void {
  const host = headers.host ?? '';
  // DNS rebinding: a foreign name that was made to point here is still foreign. An address is nobody's name.
  if (!rules.isUnixSocket && !isOurs(nameOf(host), rules)) {
    const names = ['localhost', rules.isRemote ? 'an address' : '127.0.0.1, [::1]', ...rules.hosts];
    const message = `the Host field must be one of ${names.join(', ')}; admin.hosts adds names`;
    throw new AdminError(403, 'host-not-allowed', message);
  }
  // Cross-site requests: a browser says where a page came from, and `null` for pages of nowhere.
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `${rules.scheme}://${host.toLowerCase()}`) {
    throw new AdminError(403, 'origin-not-allowed', 'requests of pages from other origins are refused');
  }
}

/**
 * Cross-site request forgery: a form of a foreign page can send POST with three media types without being asked. A
 * change must be JSON, for which a browser asks first, and nobody here says yes. @throws AdminError
 */
export function guardChange(method: string, headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new AdminError(403, 'site-not-allowed', 'changes that pages of other sites ask for are refused');
  }
  const mediaType = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const isPatch = method === 'PATCH' && mediaType === 'application/merge-patch+json';
  if (mediaType !== 'application/json' && !isPatch) {
    throw new AdminError(415, 'not-json', 'send the body with Content-Type: application/json');
  }
}

function isOurs(name: string, { hosts, isRemote }: CallerRules): boolean {
  return isLoopback(name) || hosts.includes(name) || (isRemote && isIP(name) !== 0);
}

/** The host of a Host field without its port, brackets taken off; '' where it is none. */
function nameOf(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d*)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}
