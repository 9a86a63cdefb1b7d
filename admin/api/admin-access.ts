// Authentication and roles of callers: tokens and client certificates. Thread: main.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AdminSnapshot } from '../../core/snapshot/admin.ts';
import { AdminError } from './admin-reply.ts';

/** An authenticated caller. */
export interface Caller {
  /** For log and record. */
  readonly who: string;
  readonly role: 'read' | 'write';
}

const API = 'the admin API';

/**
 * Authenticates a caller.
 * @param certificate the name in the client's certificate, which TLS has verified; null without one
 * @throws AdminError 401 where a token is needed and none that is known was brought
 */
export function admit(
  { method, path, headers }: { method: string; path: string; headers: IncomingHttpHeaders },
  admin: Pick<AdminSnapshot, 'tokens' | 'open'>,
  certificate: string | null,
): Caller {
  const who = certificate === null ? API : `${API} (certificate ${certificate})`;
  if (admin.tokens.length === 0) return { who, role: 'write' };
  const isReading = method === 'GET' || method === 'HEAD';
  if (isReading && admin.open.includes(path)) return { who, role: 'read' };
  const given = /^bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined) throw unauthorized('token-required', 'send a token: Authorization: Bearer ...', '');
  const token = knownToken(given, admin.tokens);
  // RFC 6750 section 3.1.
  if (token === null) throw unauthorized('token-unknown', 'this token is not known', ', error="invalid_token"');
  return { who: `${API} (token ${token.name})`, role: token.role };
}

/** @throws AdminError 403 for a caller with the role `read` */
export function requireWriter({ role }: Caller): void {
  if (role === 'write') return;
  throw new AdminError(403, 'read-only', 'this token has read access only');
}

type Token = AdminSnapshot['tokens'][number];

/**
 * Timing: an ordinary comparison takes longer the more of a guess is right. Digests of one length are compared in
 * constant time, with all tokens whichever fits.
 */
function knownToken(given: string, tokens: readonly Token[]): Token | null {
  const digest = createHash('sha256').update(given).digest();
  let found: Token | null = null;
  for (const token of tokens) {
    if (timingSafeEqual(digest, Buffer.from(token.digest, 'hex'))) found = token;
  }
  return found;
}

function unauthorized(code: string, message: string, parameters: string): AdminError {
  const fields = { 'WWW-Authenticate': `Bearer realm="fairlead"${parameters}` };
  return new AdminError(401, code, message, { fields });
}
