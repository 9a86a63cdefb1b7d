// Automatic certificates in the Snapshot. Thread: both.

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
  readonly challenge: 'http-01' | 'tls-alpn-01';
  /** Absolute path of the directory with accounts, certificates and challenges. */
  readonly storage: string;
  readonly keyType: 'ecdsa' | 'rsa';
}
