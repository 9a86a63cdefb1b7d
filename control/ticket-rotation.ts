// Makes and rotates the secrets of TLS session tickets, for all workers and all listeners. Kept in memory only, so that the
// sessions of a period can't be decrypted once it is over (forward secrecy). Thread: main.

import { randomBytes } from 'node:crypto';
import { SESSION_LIFETIME_S, type TicketSecrets } from '../core/ticket-secrets.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

/** A secret encrypts new tickets for six hours, and decrypts them until the last one has expired. */
export const ROTATION_MS = 6 * 3_600_000;
const SECRET_BYTES = 32;

interface TicketRotationParts {
  readonly timers: Timers;
  readonly onChange: (secrets: TicketSecrets) => void;
}

export class TicketRotation implements SnapshotConsumer {
  readonly #parts: TicketRotationParts;
  #secrets: TicketSecrets = { current: randomBytes(SECRET_BYTES), previous: null };
  #rotation: TimerHandle | null = null;
  #expiry: TimerHandle | null = null;

  constructor(parts: TicketRotationParts) {
    this.#parts = parts;
  }

  /** For a worker that starts. */
  get secrets(): TicketSecrets {
    return this.#secrets;
  }

  /** Begins to rotate, with the first Snapshot. */
  apply(): void {
    this.#rotation ??= this.#parts.timers.after(ROTATION_MS, () => this.#rotate());
  }

  stop(): void {
    this.#rotation?.cancel();
    this.#expiry?.cancel();
  }

  #rotate(): void {
    const { timers } = this.#parts;
    this.#rotation = timers.after(ROTATION_MS, () => this.#rotate());
    this.#expiry = timers.after(SESSION_LIFETIME_S * 1000, () => this.#set({ ...this.#secrets, previous: null }));
    this.#set({ current: randomBytes(SECRET_BYTES), previous: this.#secrets.current });
  }

  #set(secrets: TicketSecrets): void {
    this.#secrets = secrets;
    this.#parts.onChange(secrets);
  }
}
