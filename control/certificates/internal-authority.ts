// A certificate authority of this installation, for localhost and internal names: a root in the storage, and certificates of
// 30 days that live in memory. Thread: main.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { CertificateSnapshot } from '../../core/snapshot/listener.ts';
import type { Timers } from '../../core/timers.ts';
import { INTERNAL_ROOT_FILE } from '../../core/certificate-facts.ts';
import { readIfPresent, writeAtomically } from './atomic-file.ts';
import { acquireLock } from './storage-lock.ts';
import { issueCertificate, issueRoot, type Issuer, newPrivateKey, pemOfKey } from './x509.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ROOT_MS = 10 * 365 * DAY_MS;
const VALID_MS = 30 * DAY_MS;
/** Age at which a certificate is replaced. */
const RENEW_MS = 20 * DAY_MS;
/** Certificate and key in one file, so that they always match. */
const ROOT_PAIR_FILE = 'root.pem';
const LOCK_ATTEMPTS = 50;
const LOCK_POLL_MS = 100;

export interface InternalAuthorityParts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly timers: Timers;
  readonly log: Logger;
}

interface Made {
  readonly certificate: CertificateSnapshot;
  readonly madeMs: number;
}

export class InternalAuthority {
  readonly #folder: string;
  readonly #parts: InternalAuthorityParts;
  #root: Promise<Issuer> | null = null;
  /** By their names. */
  readonly #made = new Map<string, Made>();

  /** @param folder absolute path; created at the first use */
  constructor(folder: string, parts: InternalAuthorityParts) {
    this.#folder = folder;
    this.#parts = parts;
  }

  /** Ms until a certificate has to be replaced; null where none was made. */
  get renewInMs(): number | null {
    const oldest = [...this.#made.values()].map(({ madeMs }) => madeMs + RENEW_MS - this.#parts.clock.wallMs());
    return oldest.length === 0 ? null : Math.max(0, Math.min(...oldest));
  }

  /** A certificate for names and addresses, the same one until it is to be replaced. */
  async certificateFor(names: readonly string[]): Promise<CertificateSnapshot> {
    const key = names.join(' ');
    const nowMs = this.#parts.clock.wallMs();
    for (const [names, { madeMs }] of this.#made) if (nowMs - madeMs >= RENEW_MS) this.#made.delete(names);
    const known = this.#made.get(key);
    if (known !== undefined) return known.certificate;
    const issuer = await (this.#root ??= this.#openRoot());
    const leaf = await newPrivateKey('ecdsa');
    const validity = { notBeforeMs: nowMs, notAfterMs: nowMs + VALID_MS };
    const cert = issueCertificate({ names, key: leaf, commonName: names[0]!, issuer, ...validity });
    const certificate = { cert, key: pemOfKey(leaf), names, files: null };
    this.#made.set(key, { certificate, madeMs: nowMs });
    return certificate;
  }

  /** The stored root, or a new one. Where it can't be stored, clients have to trust another one after the next start. */
  async #openRoot(): Promise<Issuer> {
    try {
      return (await this.#storedRoot()) ?? (await this.#createRoot());
    } catch (error) {
      const { message } = error as Error;
      const text = `root of the internal CA can't be read or stored in ${this.#folder}: ${message}; it lasts until the process ends`;
      this.#parts.log.error({ folder: this.#folder, err: error }, text);
      return issuerOf(await this.#newRoot());
    }
  }

  async #storedRoot(): Promise<Issuer | null> {
    const pem = await readIfPresent(path.join(this.#folder, ROOT_PAIR_FILE));
    if (pem === null) return null;
    const issuer = issuerOf(pem);
    await this.#publish(issuer);
    return issuer;
  }

  /** Writes the certificate that clients are to trust, unless it is there. The pair is what counts: this is a copy. */
  async #publish({ certificate }: Issuer): Promise<void> {
    const file = path.join(this.#folder, INTERNAL_ROOT_FILE);
    try {
      if ((await readIfPresent(file)) === certificate.toString()) return;
      await writeAtomically(file, certificate.toString());
      const text = `root of the internal CA written to ${file}: fairlead trust explains how to trust it`;
      this.#parts.log.info({ file }, text);
    } catch (error) {
      const { message } = error as Error;
      const text = `root of the internal CA can't be written to ${file}: ${message}; clients can't be set up to trust it`;
      this.#parts.log.warn({ file, err: error }, text);
    }
  }

  /** Under a lock: processes that share the storage must have one root. */
  async #createRoot(): Promise<Issuer> {
    for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
      const lock = await acquireLock(path.join(this.#folder, `${ROOT_PAIR_FILE}.lock`), this.#parts.timers);
      if (lock !== null) {
        try {
          return (await this.#storedRoot()) ?? (await this.#writeRoot());
        } finally {
          await lock.release();
        }
      }
      await new Promise<void>((resolve) => void this.#parts.timers.after(LOCK_POLL_MS, resolve));
      const created = await this.#storedRoot();
      if (created !== null) return created;
    }
    throw new Error('another process holds its lock');
  }

  async #writeRoot(): Promise<Issuer> {
    const pem = await this.#newRoot();
    const issuer = issuerOf(pem);
    await writeAtomically(path.join(this.#folder, ROOT_PAIR_FILE), pem);
    await this.#publish(issuer);
    return issuer;
  }

  async #newRoot(): Promise<string> {
    const key = await newPrivateKey('ecdsa');
    const notBeforeMs = this.#parts.clock.wallMs();
    const root = issueRoot(
      { key, notBeforeMs, notAfterMs: notBeforeMs + ROOT_MS },
      `Fairlead internal CA (${hostname()})`,
    );
    return `${pemOfKey(key)}${root}`;
  }
}

/** @throws where the file is malformed */
function issuerOf(pem: string): Issuer {
  return { certificate: new X509Certificate(pem), key: createPrivateKey(pem) };
}
