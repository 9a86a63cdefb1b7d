// TLS profiles of Mozilla's server side TLS guidelines, version 5.8: versions, cipher suites and groups. Thread: main.

/** Settings of a profile; later keys of a listener replace them. */
export interface TlsProfile {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites by OpenSSL's names: those of TLS 1.3 first. */
  readonly ciphers: readonly string[];
  /** Groups of the key exchange, in order of preference. */
  readonly curves: readonly string[];
}

const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** X25519MLKEM768 comes first where client and server have it (hybrid post-quantum key exchange). */
const CURVES = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'];

export const TLS_PROFILES = {
  /** For clients that support TLS 1.3: Firefox 63, Chrome 70, Safari 12.1, Java 11 and newer. */
  modern: { minVersion: 'TLSv1.3', ciphers: TLS13_SUITES, curves: CURVES },
  /** For nearly all others: forward secrecy and authenticated encryption only. */
  intermediate: {
    minVersion: 'TLSv1.2',
    ciphers: [
      ...TLS13_SUITES,
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ],
    curves: CURVES,
  },
} as const satisfies Readonly<Record<string, TlsProfile>>;
