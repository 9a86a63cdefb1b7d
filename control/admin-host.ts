// The admin API where the configuration wants it: starts it, moves it at a reload, and ends it. Thread: main.

import { AdminServer } from '../admin/api/admin-server.ts';
import type { AdminContext, ReloadOutcome } from '../admin/admin-context.ts';
import type { AdminSnapshot } from '../core/snapshot/admin.ts';
import type { Timers } from '../core/timers.ts';
import { type InheritedSockets, keyOfAdmin } from './supervisor/inherited-sockets.ts';

/** What answers of an admin API get that a reload has ended. */
const CLOSE_ADMIN_MS = 1_000;

export interface AdminHostParts {
  readonly sockets: InheritedSockets;
  readonly timers: Timers;
  /** What the API is given, made when one starts. */
  readonly context: () => AdminContext;
}

export class AdminHost {
  readonly #parts: AdminHostParts;
  #server: AdminServer | null = null;
  #address: string | null = null;

  constructor(parts: AdminHostParts) {
    this.#parts = parts;
  }

  /** Where the API listens; null where there is none. */
  get address(): string | null {
    return this.#address;
  }

  /** Puts the API where a configuration wants it; null ends it. @throws AdminBindError, and it is where it was */
  async move(admin: AdminSnapshot | null): Promise<void> {
    if (admin === null) return this.#end();
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
  }

  noteReload(outcome: ReloadOutcome): void {
    this.#server?.noteReload(outcome);
  }

  stopAccepting(): void {
    this.#server?.stopAccepting();
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** The reload that takes the API away may have been asked for there: the answer goes out first. */
  #end(): void {
    const old = this.#server;
    this.#server = null;
    this.#address = null;
    if (old === null) return;
    old.stopAccepting();
    this.#parts.timers.after(CLOSE_ADMIN_MS, () => void old.close());
  }
}
