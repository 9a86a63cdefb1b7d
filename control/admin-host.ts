// The admin API where the configuration wants it: starts, moves and ends it. Thread: main.

import { AdminServer } from '../admin/api/admin-server.ts';
import type {
  AdminContext,
  MaintenanceChange,
  MembershipChange,
  ReloadOutcome,
  SplitWeightChange,
} from '../admin/admin-context.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { Timers } from '../core/timers.ts';
import type { SourceEvent } from '../discovery/source-runner.ts';
import type { ProviderEvent } from '../providers/provider-runner.ts';
import type { SnapshotConsumer, SnapshotGate } from './snapshot-owner.ts';
import { type InheritedSockets, keyOfAdmin } from './supervisor/inherited-sockets.ts';

/** Responses of an admin API that a reload ends have this long, in ms. */
const CLOSE_ADMIN_MS = 1_000;

export interface AdminHostParts {
  readonly sockets: InheritedSockets;
  readonly timers: Timers;
  /** Returns what a new server works with. */
  readonly context: () => AdminContext;
}

export class AdminHost implements SnapshotGate, SnapshotConsumer {
  readonly #parts: AdminHostParts;
  #server: AdminServer | null = null;
  #address: string | null = null;

  constructor(parts: AdminHostParts) {
    this.#parts = parts;
  }

  /** Address of the API; null where there is none. */
  get address(): string | null {
    return this.#address;
  }

  /**
   * Binds the API to its address in the Snapshot, or applies other tokens and certificates at the old one. Acts at once
   * and can't be undone: this is the last gate. @throws AdminBindError; the API is where it was
   */
  async prepare(next: Snapshot): Promise<Snapshot> {
    const { admin } = next;
    if (admin === null) return next;
    const fd = this.#parts.sockets.take(keyOfAdmin(admin.bind)) ?? undefined;
    if (this.#server !== null) this.#address = await this.#server.move(admin, fd);
    else {
      const server = new AdminServer(this.#parts.context());
      this.#server = server;
      this.#address = await server.start(admin, fd).catch(async (error: unknown) => {
        this.#server = null;
        await server.close();
        throw error;
      });
    }
    return next;
  }

  /** Ends the API where the Snapshot has none. A request for this very reload is answered first. */
  apply({ admin }: Snapshot): void {
    const old = this.#server;
    if (admin !== null || old === null) return;
    this.#server = null;
    this.#address = null;
    old.stopAccepting();
    this.#parts.timers.after(CLOSE_ADMIN_MS, () => void old.close());
  }

  noteReload(outcome: ReloadOutcome): void {
    this.#server?.noteReload(outcome);
  }

  noteMaintenance(change: MaintenanceChange): void {
    this.#server?.noteMaintenance(change);
  }

  noteSplit(change: SplitWeightChange): void {
    this.#server?.noteSplit(change);
  }

  noteSource(event: SourceEvent): void {
    this.#server?.noteSource(event);
  }

  noteProvider(event: ProviderEvent): void {
    this.#server?.noteProvider(event);
  }

  noteMembers(event: MembershipChange): void {
    this.#server?.noteMembers(event);
  }

  stopAccepting(): void {
    this.#server?.stopAccepting();
  }

  async stop(): Promise<void> {
    await this.#server?.close();
  }
}
