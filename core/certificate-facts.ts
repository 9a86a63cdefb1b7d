// Facts about the certificates in use, for the admin API, metrics and commands. Thread: main.

/** Name of the self-signed certificate of a listener that has no other one yet. */
export const PLACEHOLDER_NAME = 'placeholder.invalid';

/** File of the internal CA's root in its storage, without its key. */
export const INTERNAL_ROOT_FILE = 'root.crt';

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
  /** Object of a provider that contributes it; null for the others. */
  readonly origin: string | null;
  /** Reason why a newer content of its files is not used; null where the newest is. */
  readonly error: string | null;
}

/** A certificate that Fairlead obtains and renews itself. */
export interface AutomaticCertificate {
  readonly name: string;
  /** Host of the CA. */
  readonly authority: string;
  readonly challenge: string;
  /** `waiting` for the first certificate, `ordering` one, or `issued`. */
  readonly state: 'waiting' | 'ordering' | 'issued';
  /** Of the certificate in use; '' before the first one. */
  readonly serial: string;
  /** Wall-clock ms, as all times here; null before the first one. */
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
  readonly renewAtMs: number | null;
  /** Failed orders since the last success. */
  readonly failures: number;
  /** '' if the last order succeeded. */
  readonly lastError: string;
  /** Time before which a failed order is not repeated; null where none has failed. */
  readonly retryAtMs: number | null;
}

/** Orders since the start, by their outcome. */
export interface CertificateOrders {
  readonly issued: number;
  readonly failed: number;
  /** Not made, because the preflight failed. */
  readonly prevented: number;
}

/** Outcomes of changes of certificate files since the start. */
export interface CertificateChanges {
  readonly installed: number;
  readonly refused: number;
}
