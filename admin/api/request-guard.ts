// Protects the admin API from requests that foreign web pages trigger in browsers. Thread: main.

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../../net/host-port.ts';
import { AdminError } from './admin-reply.ts';

/** Rules for requests on one address. */
export interface CallerRules {
  /** Browsers cannot reach a Unix socket, and clients send any Host. */
  readonly isUnixSocket: boolean;
  /** Whether other machines can reach the address; they may then use it as Host. */
  readonly isRemote: boolean;
  /** Configured names in lower case. */
  readonly hosts: readonly string[];
  readonly scheme: 'http' | 'https';
}

/** Refuses a request that a page of another site may have triggered. @throws AdminError */
export function guardCaller(headers: IncomingHttpHeaders, rules: CallerRules): void {
  const host = headers.host ?? '';
  // DNS rebinding: a foreign name that resolves to this address is still foreign. A literal address is safe.
  if (!rules.isUnixSocket && !isOurs(nameOf(host), rules)) {
    const names = ['localhost', rules.isRemote ? 'an address' : '127.0.0.1, [::1]', ...rules.hosts];
    const message = `the Host field must be one of ${names.join(', ')}; admin.hosts adds names`;
    throw new AdminError(403, 'host-not-allowed', message);
  }
  // Cross-site requests: browsers send the origin of the page, or `null` for opaque origins.
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `${rules.scheme}://${host.toLowerCase()}`) {
    throw new AdminError(403, 'origin-not-allowed', 'requests of pages from other origins are refused');
  }
}

/**
 * Cross-site request forgery: a form on a foreign page can send a POST with three media types without a preflight. A
 * change must be JSON, which needs a preflight, and the API grants none. @throws AdminError
 */
export function guardChange(method: string, headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new AdminError(403, 'site-not-allowed', 'changes that pages of other sites ask for are refused');
  }
  // It has no body, and needs a preflight by its method.
  if (method === 'DELETE') return;
  const mediaType = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const isPatch = method === 'PATCH' && mediaType === 'application/merge-patch+json';
  if (mediaType !== 'application/json' && !isPatch) {
    throw new AdminError(415, 'not-json', 'send the body with Content-Type: application/json');
  }
}

function isOurs(name: string, { hosts, isRemote }: CallerRules): boolean {
  return isLoopback(name) || hosts.includes(name) || (isRemote && isIP(name) !== 0);
}

/** The host of a Host field without port and brackets; '' when it is invalid. */
function nameOf(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d*)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}
