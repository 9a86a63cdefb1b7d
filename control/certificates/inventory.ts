// The certificates that listeners serve, with their dates, files and faults: the one place that the admin API, metrics and
// commands read. Thread: main.

import { X509Certificate } from 'node:crypto';
import { certificateNames } from '../../config/files/certificate.ts';
import type { CertificateChanges, CertificateFacts } from '../../core/certificate-facts.ts';
import type { CertificateSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { SnapshotConsumer } from '../snapshot-owner.ts';

/** Facts that depend on the certificate alone. */
type OwnFacts = Omit<CertificateFacts, 'listener' | 'file' | 'origin' | 'error'>;

/** A certificate that a listener serves without having it in the Snapshot. */
export interface ServedCertificate {
  readonly listener: string;
  readonly certificate: CertificateSnapshot;
}

export class CertificateInventory implements SnapshotConsumer {
  readonly #onDemand: () => readonly ServedCertificate[];
  readonly #parsedOnDemand = new WeakMap<CertificateSnapshot, OwnFacts>();
  #snapshot: Snapshot | null = null;
  /** By certificate text: parsing costs more than a scrape of metrics. */
  #parsed = new Map<string, OwnFacts>();
  /** By path of the certificate's file. */
  readonly #errors = new Map<string, string>();
  #changes: CertificateChanges = { installed: 0, refused: 0 };

  /** @param onDemand certificates that were issued on demand; none if left out */
  constructor(onDemand: () => readonly ServedCertificate[] = () => []) {
    this.#onDemand = onDemand;
  }

  get changes(): CertificateChanges {
    return this.#changes;
  }

  apply(snapshot: Snapshot): void {
    const kept = new Map<string, OwnFacts>();
    const files = new Set<string>();
    for (const { cert, files: pair } of certificatesOf(snapshot)) {
      kept.set(cert, this.#parsed.get(cert) ?? factsOf(cert));
      if (pair !== null) files.add(pair.cert);
    }
    this.#parsed = kept;
    this.#snapshot = snapshot;
    for (const file of this.#errors.keys()) if (!files.has(file)) this.#errors.delete(file);
  }

  stop(): void {
    this.#snapshot = null;
  }

  /** Certificates in the order of the listeners and of their lists, then those that were issued on demand. */
  list(): readonly CertificateFacts[] {
    const listeners = this.#snapshot?.listeners ?? [];
    const configured = listeners.flatMap(({ name: listener, tls }) =>
      (tls?.certificates ?? []).map(({ cert, files, origin = null }) => {
        const file = files?.cert ?? null;
        return { ...this.#parsed.get(cert)!, listener, file, origin, error: this.#errors.get(file ?? '') ?? null };
      }),
    );
    return [...configured, ...this.#onDemand().map((served) => this.#factsOnDemand(served))];
  }

  #factsOnDemand({ listener, certificate }: ServedCertificate): CertificateFacts {
    let facts = this.#parsedOnDemand.get(certificate);
    if (facts === undefined) this.#parsedOnDemand.set(certificate, (facts = factsOf(certificate.cert)));
    return { ...facts, listener, file: null, origin: null, error: null };
  }

  /** The newest content of a file is in use, or again equal to what is. */
  noteCurrent(file: string): void {
    this.#errors.delete(file);
  }

  noteInstalled(file: string): void {
    this.#errors.delete(file);
    this.#changes = { ...this.#changes, installed: this.#changes.installed + 1 };
  }

  /** A new content of a file can't be used. @returns whether that is news */
  noteRefused(file: string, error: string): boolean {
    if (this.#errors.get(file) === error) return false;
    this.#errors.set(file, error);
    this.#changes = { ...this.#changes, refused: this.#changes.refused + 1 };
    return true;
  }
}

function certificatesOf({ listeners }: Snapshot): readonly CertificateSnapshot[] {
  return listeners.flatMap(({ tls }) => tls?.certificates ?? []);
}

function factsOf(cert: string): OwnFacts {
  const certificate = new X509Certificate(cert);
  return {
    names: certificateNames(cert),
    issuer: certificate.issuer.split('\n').join(', '),
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    keyType: certificate.publicKey.asymmetricKeyType ?? '',
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  };
}
