// Compiles `admin`. Tokens become digests here, so that they can't be disclosed by mistake and don't reach workers.
// Thread: main.

import { createHash } from 'node:crypto';
import type { AdminSnapshot } from '../../core/snapshot/admin.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { AdminConfig } from '../schema/schema-admin.ts';

/** A token and its location in the configuration. */
export interface NamedToken {
  readonly name: string;
  /** Null if its file could not be read. */
  readonly token: string | null;
  readonly role: 'read' | 'write';
  readonly path: KeyPath;
}

/** Name of the token `admin.token`. */
const NAMELESS = 'token';

export function compileAdmin(admin: AdminConfig, files: ReadonlyMap<string, string>): AdminSnapshot {
  const { bind, tls, hosts, open, availabilityTarget } = admin;
  return {
    bind,
    tokens: adminTokens(admin, files).map(({ name, role, token }) => ({ name, role, digest: digestOf(token ?? '') })),
    tls:
      tls === undefined
        ? null
        : {
            cert: files.get(tls.cert) ?? '',
            key: files.get(tls.key) ?? '',
            clientCa: tls.clientCa === undefined ? null : (files.get(tls.clientCa) ?? ''),
          },
    hosts,
    open: open.map((path) => `/${path}`),
    // Binary fractions: 99.9 / 100 is 0.9990000000000001.
    availabilityTarget: Number((availabilityTarget / 100).toPrecision(12)),
  };
}

/** All tokens of a configuration. */
export function adminTokens({ token, tokens = [] }: AdminConfig, files: ReadonlyMap<string, string>): NamedToken[] {
  const nameless =
    token === undefined ? [] : [{ name: NAMELESS, token, role: 'write' as const, path: ['admin', 'token'] }];
  const named = tokens.flatMap(({ name, token: text, file, role }, index) => {
    const path = ['admin', 'tokens', index];
    if (text !== undefined) return [{ name, token: text, role, path: [...path, 'token'] }];
    // Editors append a line break.
    if (file !== undefined) return [{ name, token: files.get(file)?.trim() ?? null, role, path: [...path, 'file'] }];
    return [];
  });
  return [...nameless, ...named];
}

/** Whether a token is long enough and can be sent in a header field. */
export function isSendable(token: string): boolean {
  return token.length >= 16 && /^[\x21-\x7e]+$/.test(token);
}

/** SHA-256 in hex; presented tokens are compared with it in constant time. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
