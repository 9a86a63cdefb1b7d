// The generation's end of the channel to its holder. Thread: main.

import type { SocketTable } from '../supervisor/inherited-sockets.ts';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import {
  type ForwardedSignal,
  type MessageToGeneration,
  type MessageToHolder,
  SOCKETS_VARIABLE,
  type UpgradeOutcome,
} from './holder-messages.ts';

/** A channel as `process` has it where its parent opened one. */
export interface Channel {
  send?: (message: MessageToHolder, handle: undefined, options: undefined, sent: () => void) => boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** What the holder wants. */
export interface HolderOrders {
  retire(): void;
  signal(signal: ForwardedSignal): void;
  /** The holder is gone, and the sockets are nobody's but this process's. */
  orphaned(): void;
}

export class HolderLink {
  /** The sockets that the holder gave. */
  readonly table: SocketTable;
  readonly #channel: Channel;
  readonly #waiting: ((outcome: UpgradeOutcome) => void)[] = [];

  private constructor(channel: Channel, table: SocketTable) {
    this.#channel = channel;
    this.table = table;
  }

  /** The link of a process that a holder started; null for every other one. */
  static find(environment: Readonly<Record<string, string | undefined>>, channel: Channel): HolderLink | null {
    const text = environment[SOCKETS_VARIABLE];
    if (text === undefined || channel.send === undefined) return null;
    return new HolderLink(channel, JSON.parse(text) as SocketTable);
  }

  handle(orders: HolderOrders): void {
    this.#channel.on('message', (message) => this.#heard(message as MessageToGeneration, orders));
    this.#channel.on('disconnect', () => {
      for (const resolve of this.#waiting.splice(0)) resolve({ ok: false, message: 'the holder is gone' });
      orders.orphaned();
    });
  }

  /** Asks for other sockets; this process is to end then. Resolves when the holder has been told. */
  need(needs: readonly SocketNeed[]): Promise<void> {
    return this.#tell({ kind: 'needs', needs });
  }

  ready(): Promise<void> {
    return this.#tell({ kind: 'ready' });
  }

  failed(message: string): Promise<void> {
    return this.#tell({ kind: 'failed', message });
  }

  release(keys: readonly string[]): void {
    void this.#tell({ kind: 'release', keys });
  }

  /** Asks to be replaced. Resolves when the next generation serves, or could not be started. */
  upgrade(): Promise<UpgradeOutcome> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) void this.#tell({ kind: 'upgrade' });
    });
  }

  #heard(message: MessageToGeneration, orders: HolderOrders): void {
    if (message.kind === 'retire') orders.retire();
    else if (message.kind === 'signal') orders.signal(message.signal);
    else for (const resolve of this.#waiting.splice(0)) resolve(message.outcome);
  }

  #tell(message: MessageToHolder): Promise<void> {
    return new Promise((resolve) => {
      this.#channel.send!(message, undefined, undefined, () => resolve());
    });
  }
}
