// Facts about the certificates in use, for the admin API, metrics and commands. Thread: main.

export interface CertificateFacts {
  /** Name of the listener that serves it. */
  readonly listener: string;
  /** Names that it covers, lower case; wildcards unchanged. */
  readonly names: readonly string[];
  /** Distinguished name of the issuer, on one line. */
  readonly issuer: string;
  /** Serial number, in hexadecimal digits. */
  readonly serial: string;
  /** SHA-256 of the certificate, as `AA:BB:...`. */
  readonly fingerprint: string;
  /** 'rsa', 'ec', 'ed25519' or another type of node:crypto. */
  readonly keyType: string;
  /** Wall-clock ms. */
  readonly notBeforeMs: number;
  /** Wall-clock ms. */
  readonly notAfterMs: number;
  /** Path of the certificate's file; null for one that wasn't loaded from a file of the configuration. */
  readonly file: string | null;
  /** Reason why a newer content of its files is not used; null where the newest is. */
  readonly error: string | null;
}

/** Outcomes of changes of certificate files since the start. */
export interface CertificateChanges {
  readonly installed: number;
  readonly refused: number;
}
