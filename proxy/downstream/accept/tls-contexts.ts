// Certificates of a listener, and the choice of one by the server name of a client. Thread: worker.

import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateSnapshot, TlsSnapshot } from '../../../core/snapshot/listener.ts';

/** A context with one certificate. */
interface TypedContext {
  readonly context: SecureContext;
  /** Prefix of the signature algorithms that a client needs to verify it, as node:tls names them: 'RSA', 'ECDSA'. */
  readonly algorithm: string;
}

/** Of different types of key. At least one. */
type NameContexts = readonly TypedContext[];

const ALGORITHM_OF_KEY: Readonly<Record<string, string>> = {
  rsa: 'RSA',
  'rsa-pss': 'RSA',
  ec: 'ECDSA',
  ed25519: 'Ed25519',
};

export class TlsContexts {
  readonly #byName = new Map<string, NameContexts>();
  readonly #first: NameContexts;

  /** @throws Error if a certificate and its key don't match, or aren't PEM: the configuration has checked that before */
  constructor(tls: TlsSnapshot) {
    const { certificates, minVersion } = tls;
    const contexts = certificates.map(({ cert, key }) => ({
      context: createSecureContext({ cert, key, minVersion, honorCipherOrder: true }),
      algorithm: ALGORITHM_OF_KEY[keyType(cert)] ?? '',
    }));
    const contextsFor = (chosen: readonly number[]): NameContexts => chosen.map((index) => contexts[index]!);
    this.#first = contextsFor(chosenFor(null, certificates));
    for (const { names } of certificates) {
      for (const name of names) this.#byName.set(name.toLowerCase(), contextsFor(chosenFor(name, certificates)));
    }
  }

  /**
   * The context for a server name (SNI): of the name's certificates, else those for '*.' in place of its first label (RFC
   * 9525 section 6.3: a wildcard stands for one label), else the first ones. node:tls gives a connection one certificate: the
   * first one that the client can verify.
   * @param algorithms signature algorithms of the client, as TLSSocket.getSharedSigalgs names them
   */
  find(serverName: string, algorithms: readonly string[] = []): SecureContext {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const dot = name.indexOf('.');
    const wildcard = dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
    const contexts = this.#byName.get(name) ?? wildcard ?? this.#first;
    const usable = contexts.find(({ algorithm }) => algorithms.some((offered) => offered.startsWith(algorithm)));
    return (usable ?? contexts[0]!).context;
  }
}

/** Certificates and keys for clients without a server name: OpenSSL chooses by what the client can verify. */
export function pairsWithoutName({ certificates }: TlsSnapshot): { cert: string[]; key: string[] } {
  const chosen = chosenFor(null, certificates).map((index) => certificates[index]!);
  return { cert: chosen.map(({ cert }) => cert), key: chosen.map(({ key }) => key) };
}

/**
 * Indexes of the certificates for a name: the first one of each type of key. Without a name: the first certificate, and
 * those of other types that share a name with it.
 */
function chosenFor(name: string | null, certificates: readonly CertificateSnapshot[]): number[] {
  const wanted = new Set((name === null ? certificates[0]!.names : [name]).map((text) => text.toLowerCase()));
  const byType = new Map<string, number>();
  for (const [index, certificate] of certificates.entries()) {
    const isCandidate = certificate.names.some((text) => wanted.has(text.toLowerCase()));
    if (!isCandidate && !(name === null && index === 0)) continue;
    const type = keyType(certificate.cert);
    if (!byType.has(type)) byType.set(type, index);
  }
  return [...byType.values()];
}

function keyType(cert: string): string {
  return new X509Certificate(cert).publicKey.asymmetricKeyType ?? '';
}
