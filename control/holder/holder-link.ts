// A generation's side of the channel to its holder. Thread: main.

import type { SocketTable } from '../supervisor/inherited-sockets.ts';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import {
  type ForwardedSignal,
  type MessageToGeneration,
  type MessageToHolder,
  SOCKETS_VARIABLE,
  type UpgradeOutcome,
} from './holder-messages.ts';

/** The channel that `process` has where its parent opened one. */
export interface Channel {
  send?: (message: MessageToHolder, handle: undefined, options: undefined, sent: () => void) => boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Requests of the holder. */
export interface HolderRequests {
  /** The next generation serves: drain and end. */
  retire(): void;
  signal(signal: ForwardedSignal): void;
  /** The holder has exited; only this process has the sockets. */
  orphaned(): void;
}

export class HolderLink {
  /** Sockets that the holder passed. */
  readonly table: SocketTable;
  readonly #channel: Channel;
  readonly #waiting: ((outcome: UpgradeOutcome) => void)[] = [];

  private constructor(channel: Channel, table: SocketTable) {
    this.#channel = channel;
    this.table = table;
  }

  /** Returns the link of a process that a holder started; null for any other process. */
  static find(environment: Readonly<Record<string, string | undefined>>, channel: Channel): HolderLink | null {
    const text = environment[SOCKETS_VARIABLE];
    if (text === undefined || channel.send === undefined) return null;
    return new HolderLink(channel, JSON.parse(text) as SocketTable);
  }

  handle(requests: HolderRequests): void {
    this.#channel.on('message', (message) => this.#onMessage(message as MessageToGeneration, requests));
    this.#channel.on('disconnect', () => {
      for (const resolve of this.#waiting.splice(0)) resolve({ ok: false, message: 'the holder has exited' });
      requests.orphaned();
    });
  }

  /** Requests other sockets; this process must exit then. Resolves when the request is sent. */
  need(needs: readonly SocketNeed[]): Promise<void> {
    return this.#send({ kind: 'needs', needs });
  }

  ready(): Promise<void> {
    return this.#send({ kind: 'ready' });
  }

  failed(message: string): Promise<void> {
    return this.#send({ kind: 'failed', message });
  }

  release(keys: readonly string[]): void {
    void this.#send({ kind: 'release', keys });
  }

  /** Requests an upgrade. Resolves when the next generation serves, or has failed to start. */
  upgrade(): Promise<UpgradeOutcome> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) void this.#send({ kind: 'upgrade' });
    });
  }

  #onMessage(message: MessageToGeneration, requests: HolderRequests): void {
    if (message.kind === 'retire') requests.retire();
    else if (message.kind === 'signal') requests.signal(message.signal);
    else for (const resolve of this.#waiting.splice(0)) resolve(message.outcome);
  }

  #send(message: MessageToHolder): Promise<void> {
    return new Promise((resolve) => {
      this.#channel.send!(message, undefined, undefined, () => resolve());
    });
  }
}
