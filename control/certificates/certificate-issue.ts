// Has a CA issue one certificate, and resumes the order that a crash has interrupted. Thread: main.

import { createPrivateKey } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { AcmeAuthority } from './acme-authority.ts';
import { AcmeError } from './acme-error.ts';
import { completeOrder } from './acme-order.ts';
import { reasonAgainst } from './issued-certificate.ts';
import type { CertificateIdentity, CertificatePair, CertificateStorage } from './certificate-storage.ts';
import { solverFor } from './challenge-solvers.ts';
import { PreflightError, runPreflight } from './preflight.ts';
import { newPrivateKey, pemOfKey, renewalIdentifier } from './x509.ts';

/** An order that takes longer has failed: a CA under load takes minutes. */
const ORDER_MS = 10 * 60_000;

export interface IssueParts {
  readonly settings: AcmeSnapshot;
  readonly storage: CertificateStorage;
  readonly authority: AcmeAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  /** @throws when the process ends */
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Obtains a certificate and its key. The caller holds the lock of the certificate.
 * @param replaced the certificate that is renewed; null for the first one
 * @throws AcmeError, PreflightError, and errors of the storage
 */
export async function obtainCertificate(
  parts: IssueParts,
  identity: CertificateIdentity,
  replaced: CertificatePair | null,
): Promise<CertificatePair> {
  const pair = (await resumed(parts, identity, replaced)) ?? (await begun(parts, identity, replaced));
  const reason = reasonAgainst(pair, identity.name, parts.clock.wallMs());
  if (reason === null) return pair;
  throw new AcmeError(`CA issued a certificate for ${identity.name} that can't be used: ${reason}`, { isFinal: true });
}

/** Null where there is no order, or the CA doesn't complete it any more. */
async function resumed(
  parts: IssueParts,
  identity: CertificateIdentity,
  replaced: CertificatePair | null,
): Promise<CertificatePair | null> {
  const pending = await parts.storage.readOrder(identity);
  if (pending === null) return null;
  try {
    return await complete(parts, identity, { key: pending.key, order: pending.url, replaced });
  } catch (error) {
    // Without an answer the order may still be good.
    if (!(error instanceof AcmeError) || !error.isFinal) throw error;
    await parts.storage.removeOrder(identity);
    return null;
  }
}

async function begun(
  parts: IssueParts,
  identity: CertificateIdentity,
  replaced: CertificatePair | null,
): Promise<CertificatePair> {
  // An order that can't be stored is lost: none is made, since CAs limit them.
  await parts.storage.probe();
  await parts.storage.removeLeftovers();
  await preflight(parts, identity.name, replaced !== null);
  const key = pemOfKey(await newPrivateKey(identity.keyType));
  const issue = { key, order: null, replaced };
  try {
    return await complete(parts, identity, issue);
  } catch (error) {
    if (!(error instanceof AcmeError) || error.type !== 'accountDoesNotExist') throw error;
    // The CA has lost the account: the second attempt creates it again.
    await parts.authority.note(error);
    return await complete(parts, identity, issue);
  }
}

/**
 * A renewal is ordered although the name can't be probed: the CA has validated it before, and a network that doesn't reach
 * its own public address must not end renewals.
 */
async function preflight(parts: IssueParts, name: string, isRenewal: boolean): Promise<void> {
  const { settings, storage, clock, log } = parts;
  if (settings.preflight === null) return;
  try {
    await runPreflight({ settings, preflight: settings.preflight, storage, clock }, name);
  } catch (error) {
    if (!isRenewal || !(error instanceof PreflightError) || error.isProven) throw error;
    log.warn({ name, err: error }, `certificate for ${name} is renewed without a preflight: ${error.message}`);
  }
}

interface Issue {
  /** Private key in PEM. */
  readonly key: string;
  /** URL of the order to resume; null for a new one. */
  readonly order: string | null;
  readonly replaced: CertificatePair | null;
}

async function complete(
  { settings, storage, authority, clock, sleep }: IssueParts,
  identity: CertificateIdentity,
  { key, order, replaced }: Issue,
): Promise<CertificatePair> {
  const client = await authority.client();
  const { renewalInfo } = await client.directory();
  const cert = await completeOrder(
    {
      client,
      solver: solverFor(settings, storage, { clock, sleep }),
      names: [identity.name],
      key: createPrivateKey(key),
      deadlineMs: clock.nowMs() + ORDER_MS,
      nowMs: () => clock.nowMs(),
      sleep,
      replaces: renewalInfo === '' || replaced === null ? null : renewalIdentifier(replaced.cert),
      created: (url) => storage.writeOrder(identity, { url, key }),
    },
    order,
  );
  return { cert, key };
}
