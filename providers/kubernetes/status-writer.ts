// Writes the status of objects back: one request at a time, only what differs. Thread: main.

import type { ApiClient } from '../../discovery/kubernetes/api-client.ts';
import type { ApiObject } from '../../discovery/kubernetes/api-object.ts';
import type { Logger } from '../../core/log.ts';

/** A change of an object's status. */
export interface StatusChange {
  /** Path of the object. */
  readonly path: string;
  readonly status: ApiObject;
}

export class StatusWriter {
  readonly #client: Pick<ApiClient, 'patch'>;
  readonly #log: Logger;
  readonly #end = new AbortController();
  /** The newest change of each object. */
  readonly #waiting = new Map<string, StatusChange>();
  /** Last change that was sent, as text: an object that another program changes back is not changed in a loop. */
  readonly #sent = new Map<string, string>();
  /** Causes that were logged. */
  readonly #failed = new Set<string>();
  #isWriting = false;

  constructor(client: Pick<ApiClient, 'patch'>, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  write(changes: readonly StatusChange[]): void {
    for (const change of changes) {
      const text = JSON.stringify(change.status);
      if (this.#sent.get(change.path) !== text) this.#waiting.set(change.path, change);
    }
    if (!this.#isWriting) void this.#writeAll();
  }

  stop(): void {
    this.#end.abort();
    this.#waiting.clear();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (const [path, change] of this.#waiting) {
      this.#waiting.delete(path);
      await this.#write(change);
    }
    this.#isWriting = false;
  }

  async #write({ path, status }: StatusChange): Promise<void> {
    try {
      await this.#client.patch(`${path}/status`, { status }, this.#end.signal);
      this.#sent.set(path, JSON.stringify(status));
    } catch (error) {
      const { message } = error as Error;
      if (this.#end.signal.aborted || this.#failed.has(message)) return;
      this.#failed.add(message);
      this.#log.warn({ path, cause: message }, `the status of ${path} can't be written: ${message}`);
    }
  }
}
