// The admin API in the Snapshot. Thread: both.

import type { BindAddress } from './listener.ts';

/** Where the admin API is, and who may use it. */
export interface AdminSnapshot {
  readonly bind: BindAddress;
  /** Empty: none is needed. Of each the SHA-256 in hex. */
  readonly tokens: readonly { readonly name: string; readonly role: 'read' | 'write'; readonly digest: string }[];
  /** PEM texts. With `clientCa`, clients need a certificate of one of its CAs. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | null } | null;
  /** Names that Host may be besides localhost and addresses, lower case. */
  readonly hosts: readonly string[];
  /** Paths that need no token. */
  readonly open: readonly string[];
}
