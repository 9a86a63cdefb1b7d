// From `admin` in the configuration to its part of the Snapshot: tokens become digests here, so that none is told by
// mistake, and none is in the memory of workers. Thread: main.

import { createHash } from 'node:crypto';
import type { AdminSnapshot } from '../../core/snapshot/admin.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { AdminConfig } from '../schema/schema-admin.ts';

/** A token, and where it was said. */
export interface NamedToken {
  readonly name: string;
  /** Null where its file could not be read. */
  readonly token: string | null;
  readonly role: 'read' | 'write';
  readonly path: KeyPath;
}

/** The name of the token that has none of its own. */
const NAMELESS = 'token';

export function compileAdmin(admin: AdminConfig, files: ReadonlyMap<string, string>): AdminSnapshot {
  const { bind, tls, hosts, open } = admin;
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
  };
}

/** All tokens that a configuration names. */
export function adminTokens({ token, tokens = [] }: AdminConfig, files: ReadonlyMap<string, string>): NamedToken[] {
  const nameless =
    token === undefined ? [] : [{ name: NAMELESS, token, role: 'write' as const, path: ['admin', 'token'] }];
  const named = tokens.flatMap(({ name, token: text, file, role }, index) => {
    const path = ['admin', 'tokens', index];
    if (text !== undefined) return [{ name, token: text, role, path: [...path, 'token'] }];
    // A line break at the end is the editor's.
    if (file !== undefined) return [{ name, token: files.get(file)?.trim() ?? null, role, path: [...path, 'file'] }];
    return [];
  });
  return [...nameless, ...named];
}

/** Whether a token is long enough and fits into a header field. */
export function isSendable(token: string): boolean {
  return token.length >= 16 && /^[\x21-\x7e]+$/.test(token);
}

/** SHA-256 in hex: what was given is compared with it in constant time. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
