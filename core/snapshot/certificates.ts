// Automatic certificates in the Snapshot. Thread: both.

/** Certificate from the internal CA. */
export interface InternalSnapshot {
  /** DNS names, lower case, and IP addresses. */
  readonly names: readonly string[];
  /** Absolute path of the directory with the root. */
  readonly storage: string;
}

/** Certificates that a listener obtains from a certificate authority. */
export interface AcmeSnapshot {
  /** '' for none. */
  readonly email: string;
  /** URL of the CA's directory. */
  readonly directory: string;
  /** Certificates in PEM that are trusted for the directory's own TLS; null for the public CAs alone. */
  readonly trusted: string | null;
  /** DNS names, lower case, each of which gets a certificate; `*.` in front for a wildcard. */
  readonly names: readonly string[];
  readonly challenge: 'http-01' | 'tls-alpn-01' | 'dns-01';
  /** Command of dns-01, and ms until the records that it adds are visible; null for other challenges. */
  readonly dns: { readonly command: readonly string[]; readonly waitMs: number } | null;
  /** Account at the CA to which a new one is bound (RFC 8555 section 7.3.4); the key in base64url. */
  readonly external: { readonly keyId: string; readonly macKey: string } | null;
  /** Absolute path of the directory with accounts, certificates and challenges. */
  readonly storage: string;
  readonly keyType: 'ecdsa' | 'rsa';
  /** Null where orders are made without a preflight. */
  readonly preflight: PreflightSnapshot | null;
  /** Certificates for other names that clients request; null for none. */
  readonly onDemand: OnDemandSnapshot | null;
}

/** Certificates for server names that the configuration doesn't list. */
export interface OnDemandSnapshot {
  /** URL whose status 200 permits a name, given as the query parameter `domain`. */
  readonly ask: string;
  /** Most names at one time. */
  readonly names: number;
  /** Most orders for new names in any hour. */
  readonly ordersPerHour: number;
  /** Longest time for which a handshake waits for a certificate. */
  readonly waitMs: number;
}

/** Settings of the check before an order that the CA reaches this installation. */
export interface PreflightSnapshot {
  /** Addresses of DNS servers, `host:port` with IPv6 in brackets; empty for those of the system. */
  readonly resolvers: readonly string[];
  /** Ports that the CA connects to. */
  readonly httpPort: number;
  readonly tlsPort: number;
}
