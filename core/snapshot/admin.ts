// Admin API in the Snapshot. Thread: both.

import type { BindAddress } from './listener.ts';

/** Address of the admin API and access to it. */
export interface AdminSnapshot {
  readonly bind: BindAddress;
  /** `digest` is the token's SHA-256 in hex. An empty list means that no token is required. */
  readonly tokens: readonly { readonly name: string; readonly role: 'read' | 'write'; readonly digest: string }[];
  /** PEM texts. With `clientCa`, clients must present a certificate issued by one of its CAs. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | null } | null;
  /** Names accepted in Host besides localhost and IP addresses, lower case. */
  readonly hosts: readonly string[];
  /** Paths that require no token. */
  readonly open: readonly string[];
  /** Share of requests that should not fail: the basis of the error budget. */
  readonly availabilityTarget: number;
}
