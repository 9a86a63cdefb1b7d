// Answers to challenges: written to the storage, where the workers of every process read them, or to DNS by a command. Thread: main.

import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { Clock } from '../../core/clock.ts';
import type { Challenge, ChallengeSolver } from './acme-order.ts';
import type { CertificatePair, CertificateStorage } from './certificate-storage.ts';
import { dnsSolver } from './dns-command.ts';
import { issueCertificate, newPrivateKey, pemOfKey } from './x509.ts';

/** The certificate of a challenge is valid for a week: nothing trusts it. */
const ALPN_VALID_MS = 7 * 24 * 60 * 60 * 1000;

interface SolverParts {
  readonly clock: Pick<Clock, 'wallMs'>;
  /** @throws when the process ends */
  readonly sleep: (ms: number) => Promise<void>;
}

export function solverFor(
  { challenge, dns }: Pick<AcmeSnapshot, 'challenge' | 'dns'>,
  storage: CertificateStorage,
  { clock, sleep }: SolverParts,
): ChallengeSolver {
  if (dns !== null) return dnsSolver(dns, sleep);
  return challenge === 'http-01' ? httpSolver(storage) : alpnSolver(storage, clock);
}

function httpSolver(storage: CertificateStorage): ChallengeSolver {
  return {
    type: 'http-01',
    present: ({ token, keyAuthorization }) => storage.presentHttp(token, keyAuthorization),
    withdraw: ({ token }) => storage.withdrawHttp(token),
  };
}

function alpnSolver(storage: CertificateStorage, clock: Pick<Clock, 'wallMs'>): ChallengeSolver {
  return {
    type: 'tls-alpn-01',
    async present({ name, keyAuthorization }: Challenge) {
      await storage.presentAlpn(name, await alpnCertificate(name, keyAuthorization, clock));
    },
    withdraw: ({ name }) => storage.withdrawAlpn(name),
  };
}

/** The certificate that answers a challenge of tls-alpn-01 (RFC 8737 section 3), with its key. */
export async function alpnCertificate(
  name: string,
  keyAuthorization: string,
  clock: Pick<Clock, 'wallMs'>,
): Promise<CertificatePair> {
  const key = await newPrivateKey('ecdsa');
  const notBeforeMs = clock.wallMs();
  const validity = { notBeforeMs, notAfterMs: notBeforeMs + ALPN_VALID_MS };
  const cert = issueCertificate({ names: [name], key, commonName: name, ...validity, keyAuthorization });
  return { cert, key: pemOfKey(key) };
}
