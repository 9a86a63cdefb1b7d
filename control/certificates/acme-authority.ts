// A certificate authority as this process uses it: one account, shared by all its certificates and by every process of the
// storage, and a pause while the CA demands one. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import { AccountKey } from './account-key.ts';
import { AcmeClient } from './acme-client.ts';
import { AcmeError } from './acme-error.ts';
import type { AcmeTransport } from './acme-transport.ts';
import type { CertificateStorage, StoredAccount } from './certificate-storage.ts';
import type { StorageLock } from './storage-lock.ts';
import { newPrivateKey, pemOfKey } from './x509.ts';

/** Time between two attempts to lock the account while another process creates it. */
const LOCK_POLL_MS = 500;
const LOCK_ATTEMPTS = 120;

export interface AuthorityParts {
  readonly settings: Pick<AcmeSnapshot, 'directory' | 'email' | 'external'>;
  readonly storage: CertificateStorage;
  readonly transport: AcmeTransport;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
}

export class AcmeAuthority {
  readonly #parts: AuthorityParts;
  #client: Promise<AcmeClient> | null = null;
  #pausedUntilMs = 0;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  /** Wall-clock ms before which the CA wants no orders. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  /** A client with a registered account. @throws AcmeError, or an error of the storage */
  client(): Promise<AcmeClient> {
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  /** Takes note of an error: a demanded pause is one for all orders, and a lost account is created again. */
  async note(error: AcmeError): Promise<void> {
    const { clock, storage, settings } = this.#parts;
    const isLimit = error.type === 'rateLimited' || error.status === 429 || error.status === 503;
    if (isLimit) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, clock.wallMs() + error.retryAfterMs);
    if (error.type !== 'accountDoesNotExist') return;
    this.#client = null;
    const account = await storage.readAccount(settings.directory);
    if (account !== null) await storage.writeAccount(settings.directory, { ...account, url: null });
  }

  close(): Promise<void> {
    return this.#parts.transport.close();
  }

  async #open(): Promise<AcmeClient> {
    const { settings, storage, sleep } = this.#parts;
    const known = await storage.readAccount(settings.directory);
    if (known?.url) return this.#clientOf(known);
    for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
      const lock = await storage.lockAccount(settings.directory);
      if (lock !== null) return await this.#registerLocked(lock);
      await sleep(LOCK_POLL_MS);
      const created = await storage.readAccount(settings.directory);
      if (created?.url) return this.#clientOf(created);
    }
    throw new AcmeError('another process holds the lock of the ACME account');
  }

  async #registerLocked(lock: StorageLock): Promise<AcmeClient> {
    try {
      return await this.#register();
    } finally {
      await lock.release();
    }
  }

  /** The key is stored before it is used: an account whose key is lost is lost itself. */
  async #register(): Promise<AcmeClient> {
    const { settings, storage } = this.#parts;
    const stored = await storage.readAccount(settings.directory);
    if (stored?.url) return this.#clientOf(stored);
    const key = stored?.key ?? pemOfKey(await newPrivateKey('ecdsa'));
    await storage.writeAccount(settings.directory, { key, url: null });
    const client = this.#clientOf({ key, url: null });
    const url = await client.register({ email: settings.email, external: settings.external });
    await storage.writeAccount(settings.directory, { key, url });
    return client;
  }

  #clientOf({ key, url }: StoredAccount): AcmeClient {
    const { transport, settings } = this.#parts;
    return new AcmeClient(transport, settings.directory, new AccountKey(key), url);
  }
}
