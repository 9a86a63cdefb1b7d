// TLS on the main thread: the certificates of listeners and the secrets of session tickets, as one gate and one consumer of
// the Snapshot. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { TicketSecrets } from '../../core/ticket-secrets.ts';
import type { Timers } from '../../core/timers.ts';
import type { SnapshotConsumer, SnapshotGate } from '../snapshot-owner.ts';
import { TicketRotation } from '../ticket-rotation.ts';
import { CertificateFiles } from './certificate-files.ts';
import { CertificateInventory, type ServedCertificate } from './inventory.ts';

interface TlsControlParts {
  readonly timers: Timers;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
  /** Publishes the Snapshot again. @throws why it can't be published */
  readonly publish: () => Promise<void>;
  /** Sends secrets to all workers. */
  readonly onSecrets: (secrets: TicketSecrets) => void;
  /** Certificates in use that no Snapshot has. */
  readonly onDemand: () => readonly ServedCertificate[];
}

export class TlsControl implements SnapshotGate, SnapshotConsumer {
  readonly inventory: CertificateInventory;
  readonly #files: CertificateFiles;
  readonly #tickets: TicketRotation;

  constructor({ timers, clock, log, publish, onSecrets, onDemand }: TlsControlParts) {
    const inventory = (this.inventory = new CertificateInventory(onDemand));
    this.#files = new CertificateFiles({ timers, log, inventory, publish, wallMs: () => clock.wallMs() });
    this.#tickets = new TicketRotation({ timers, onChange: onSecrets });
  }

  get ticketSecrets(): TicketSecrets {
    return this.#tickets.secrets;
  }

  prepare(next: Snapshot): Promise<Snapshot> {
    return this.#files.prepare(next);
  }

  apply(snapshot: Snapshot): void {
    this.inventory.apply(snapshot);
    this.#files.apply(snapshot);
    this.#tickets.apply();
  }

  stop(): void {
    this.#tickets.stop();
    this.#files.stop();
    this.inventory.stop();
  }
}
