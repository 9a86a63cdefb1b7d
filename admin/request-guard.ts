// Who may ask the admin API at all: keeps out browsers that a foreign page has sent. Thread: main.

import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from './admin-bind.ts';
import { AdminError } from './admin-reply.ts';

/**
 * Refuses a request that a page of another site may have caused.
 * @param isUnixSocket no browser reaches a Unix socket, and clients name it as they like
 * @throws AdminError
 */
export function guardCaller(headers: IncomingHttpHeaders, isUnixSocket: boolean): void {
  const host = headers.host ?? '';
  // DNS rebinding: a foreign name that was made to point here is still foreign.
  if (!isUnixSocket && !isLoopback(nameOf(host))) {
    throw new AdminError(403, 'host-not-allowed', 'the Host field must be localhost, 127.0.0.1 or [::1]');
  }
  // Cross-site requests: a browser says where a page came from, and `null` for pages of nowhere.
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
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

/** The host of a Host field without its port, brackets taken off; '' where it is none. */
function nameOf(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d*)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}
