// Storage of automatic certificates: accounts, certificates with their keys, plans and orders, answers to challenges. A
// directory that several processes may share. Thread: main.

import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { Timers } from '../../core/timers.ts';
import { alpnAnswerFile, httpAnswerFile } from '../../net/acme-challenges.ts';
import { DRAFT, readIfPresent, writeAtomically } from './atomic-file.ts';
import type { CertificatePlan } from './certificate-plan.ts';
import { acquireLock, type StorageLock } from './storage-lock.ts';

/** A certificate chain and its private key in PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** An account at a CA. */
export interface StoredAccount {
  /** Private key in PEM. */
  readonly key: string;
  /** URL; null until the CA has confirmed it. */
  readonly url: string | null;
}

/** An order in progress, with the key of its certificate in PEM. */
export interface StoredOrder {
  readonly url: string;
  readonly key: string;
}

/** Identifies a certificate in a storage: the CA, the name, and the type of key. */
export interface CertificateIdentity {
  /** URL of the CA's directory. */
  readonly directory: string;
  readonly name: string;
  readonly keyType: AcmeSnapshot['keyType'];
}

/** Far longer than any order takes. */
const LEFTOVER_MS = 60 * 60_000;
/** More than all files of an order. */
const PROBE_BYTES = 32 * 1024;
/** Locks that were taken while an abandoned one was replaced. */
const CLAIM = /\.lock\.\w+$/;

const KEY_BLOCK = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----\n?/;

export class CertificateStorage {
  readonly root: string;
  readonly #timers: Timers;

  /** @param root absolute path; created at the first write */
  constructor(root: string, timers: Timers) {
    this.root = root;
    this.#timers = timers;
  }

  /** @throws Error where the file can't be read */
  async readCertificate(identity: CertificateIdentity): Promise<CertificatePair | null> {
    return pairOf(await readIfPresent(this.#file(identity, 'pem')));
  }

  /** Key and chain are in one file, so that they always match. @throws Error where it can't be written */
  writeCertificate(identity: CertificateIdentity, { cert, key }: CertificatePair): Promise<void> {
    return writeAtomically(this.#file(identity, 'pem'), `${key.trimEnd()}\n${cert.trimEnd()}\n`);
  }

  /** Changes whenever a process writes the certificate; '' where there is none. */
  async versionOf(identity: CertificateIdentity): Promise<string> {
    const status = await stat(this.#file(identity, 'pem')).catch(() => null);
    return status === null ? '' : `${status.ino} ${status.mtimeMs} ${status.size}`;
  }

  async readPlan(identity: CertificateIdentity): Promise<CertificatePlan | null> {
    return jsonOf(await readIfPresent(this.#file(identity, 'json'))) as CertificatePlan | null;
  }

  writePlan(identity: CertificateIdentity, plan: CertificatePlan): Promise<void> {
    return writeAtomically(this.#file(identity, 'json'), `${JSON.stringify(plan, null, 2)}\n`);
  }

  async readOrder(identity: CertificateIdentity): Promise<StoredOrder | null> {
    return jsonOf(await readIfPresent(this.#file(identity, 'order'))) as StoredOrder | null;
  }

  writeOrder(identity: CertificateIdentity, order: StoredOrder): Promise<void> {
    return writeAtomically(this.#file(identity, 'order'), `${JSON.stringify(order)}\n`);
  }

  async removeOrder(identity: CertificateIdentity): Promise<void> {
    await rm(this.#file(identity, 'order'), { force: true });
  }

  async readAccount(directory: string): Promise<StoredAccount | null> {
    return jsonOf(await readIfPresent(this.#accountFile(directory))) as StoredAccount | null;
  }

  writeAccount(directory: string, account: StoredAccount): Promise<void> {
    return writeAtomically(this.#accountFile(directory), `${JSON.stringify(account, null, 2)}\n`);
  }

  /** Proves that the files of an order can be written. @throws Error where they can't */
  async probe(): Promise<void> {
    const file = path.join(this.root, 'certificates', `probe.${process.pid}`);
    await writeAtomically(file, ' '.repeat(PROBE_BYTES));
    await rm(file, { force: true });
  }

  /**
   * Removes what processes left behind that died within an order: answers to challenges, and files that were not written to
   * their end.
   */
  async removeLeftovers(): Promise<void> {
    await this.#removeOld('challenges', () => true);
    const isUnfinished = (name: string): boolean => name.endsWith(DRAFT) || CLAIM.test(name);
    for (const folder of ['certificates', 'accounts']) await this.#removeOld(folder, isUnfinished);
  }

  async #removeOld(folder: string, isLeft: (name: string) => boolean): Promise<void> {
    const options = { recursive: true, withFileTypes: true } as const;
    const entries = await readdir(path.join(this.root, folder), options).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || !isLeft(entry.name)) continue;
      const file = path.join(entry.parentPath, entry.name);
      const status = await stat(file).catch(() => null);
      const isOld = status !== null && Date.now() - status.mtimeMs > LEFTOVER_MS;
      if (isOld) await rm(file, { force: true }).catch(() => undefined);
    }
  }

  /**
   * Locks a name with one CA, for both types of key: their challenges of tls-alpn-01 have one answer.
   * @returns null where another process, or another order, holds the lock
   */
  lockCertificate(identity: CertificateIdentity): Promise<StorageLock | null> {
    return acquireLock(this.#file({ ...identity, keyType: 'ecdsa' }, 'lock'), this.#timers);
  }

  lockAccount(directory: string): Promise<StorageLock | null> {
    return acquireLock(`${this.#accountFile(directory)}.lock`, this.#timers);
  }

  presentHttp(token: string, answer: string): Promise<void> {
    return writeAtomically(httpAnswerFile(this.root, token), answer);
  }

  async withdrawHttp(token: string): Promise<void> {
    await rm(httpAnswerFile(this.root, token), { force: true });
  }

  presentAlpn(name: string, { cert, key }: CertificatePair): Promise<void> {
    return writeAtomically(alpnAnswerFile(this.root, name), `${key}${cert}`);
  }

  async withdrawAlpn(name: string): Promise<void> {
    await rm(alpnAnswerFile(this.root, name), { force: true });
  }

  #file({ directory, name, keyType }: CertificateIdentity, extension: string): string {
    const file = `${name.replace('*', '_wildcard')}${keyType === 'rsa' ? '.rsa' : ''}.${extension}`;
    return path.join(this.root, 'certificates', folderOf(directory), file);
  }

  #accountFile(directory: string): string {
    return path.join(this.root, 'accounts', `${folderOf(directory)}.json`);
  }
}

/** A name for a CA's directory: certificates of a staging CA must not be taken for those of another. */
function folderOf(directory: string): string {
  return directory.replace(/^https:\/\//, '').replace(/[^\w.-]+/g, '-');
}

function pairOf(text: string | null): CertificatePair | null {
  const key = text === null ? undefined : KEY_BLOCK.exec(text)?.[0];
  return text === null || key === undefined ? null : { key, cert: text.replace(KEY_BLOCK, '').trimStart() };
}

/** Null where the text is malformed: such a file counts as absent. */
function jsonOf(text: string | null): object | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
