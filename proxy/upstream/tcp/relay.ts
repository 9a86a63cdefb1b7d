// Relays bytes between a client and an endpoint in both directions: with back-pressure, half-closes in each direction, and
// resets passed on. Thread: worker.

import type { Socket } from 'node:net';
import type { TimerHandle, Timers } from '../../../core/timers.ts';
import { keepReadableAfterWriteError } from '../write-errors.ts';

/** After one side is lost, the other side has this long to receive the bytes that were read before. */
const LINGER_MS = 2000;

/** One end of a relay. */
export interface RelaySide {
  /** The socket, or the TLS socket over it; half-open. */
  readonly stream: Socket;
  /** Ends the connection with a TCP reset where possible. */
  reset(): void;
}

export type SideName = 'client' | 'endpoint';

/** Events of a relay. */
export interface RelayEvents {
  /** Bytes were read from a side. */
  onBytes(from: SideName, sizeBytes: number): void;
  /**
   * Both connections are closed.
   * @param lost the side that was reset; null where both ended in order
   * @param endedFirst the side that ended its direction first
   */
  onClosed(lost: SideName | null, endedFirst: SideName): void;
}

export class Relay {
  readonly #client: RelayEnd;
  readonly #endpoint: RelayEnd;
  readonly #events: RelayEvents;
  readonly #timers: Timers;
  #lost: SideName | null = null;
  #endedFirst: SideName | null = null;
  #linger: TimerHandle | null = null;
  #isOver = false;

  constructor(client: RelaySide, endpoint: RelaySide, events: RelayEvents, timers: Timers) {
    this.#events = events;
    this.#timers = timers;
    this.#client = new RelayEnd('client', client, this);
    this.#endpoint = new RelayEnd('endpoint', endpoint, this);
  }

  /**
   * Begins to relay.
   * @param held bytes that the client has sent before
   * @param hasEnded whether it has also half-closed before
   */
  start(held: readonly Buffer[], hasEnded: boolean): void {
    const client = this.#client.side.stream;
    const endpoint = this.#endpoint.side.stream;
    this.#client.attach(endpoint);
    this.#endpoint.attach(client);
    if (client.destroyed) return this.lose(this.#client);
    for (const bytes of held) this.#client.pass(bytes);
    if (hasEnded) this.#client.end();
    else client.resume();
    endpoint.resume();
  }

  /** Ends both connections with a reset. `onClosed` is not called. */
  destroy(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#client.side.reset();
    this.#endpoint.side.reset();
  }

  received(from: SideName, sizeBytes: number): void {
    this.#events.onBytes(from, sizeBytes);
  }

  /** A side has ended its direction. */
  ended(from: SideName): void {
    this.#endedFirst ??= from;
  }

  /** A connection has closed in order, or was lost. */
  closed(end: RelayEnd): void {
    if (this.#isOver) return;
    if (!end.hasEnded) return this.lose(end);
    const other = this.#otherOf(end);
    if (other.side.stream.destroyed) this.#close();
  }

  /** A connection was reset: the other side gets what was read before, and then a reset too. */
  lose(end: RelayEnd): void {
    if (this.#isOver) return;
    this.#lost ??= end.name;
    this.#endedFirst ??= end.name;
    end.side.stream.destroy();
    const { side } = this.#otherOf(end);
    if (side.stream.destroyed) return this.#close();
    if (this.#linger !== null) return;
    this.#linger = this.#timers.after(LINGER_MS, () => this.#resetBoth());
    if (side.stream.writableLength === 0) this.#resetBoth();
    else if (side.stream.writableEnded) side.stream.once('finish', () => this.#resetBoth());
    else side.stream.write('', () => this.#resetBoth());
  }

  #resetBoth(): void {
    if (this.#isOver) return;
    this.#client.side.reset();
    this.#endpoint.side.reset();
    this.#close();
  }

  #close(): void {
    this.#finish();
    this.#events.onClosed(this.#lost, this.#endedFirst ?? 'client');
  }

  #finish(): void {
    this.#isOver = true;
    this.#linger?.cancel();
  }

  #otherOf(end: RelayEnd): RelayEnd {
    return end === this.#client ? this.#endpoint : this.#client;
  }
}

/** The reading half of one side: what it sends goes to the other side. */
class RelayEnd {
  readonly name: SideName;
  readonly side: RelaySide;
  readonly #relay: Relay;
  #to!: Socket;
  /** Whether a write to it has failed: its peer has closed, and may still have sent bytes before. */
  #isBroken = false;

  constructor(name: SideName, side: RelaySide, relay: Relay) {
    this.name = name;
    this.side = side;
    this.#relay = relay;
  }

  /** Whether both directions have ended in order. */
  get hasEnded(): boolean {
    const { errored, readableEnded, writableEnded } = this.side.stream;
    return readableEnded && writableEnded && errored === null && !this.#isBroken;
  }

  attach(to: Socket): void {
    this.#to = to;
    const { stream } = this.side;
    // The last bytes of a peer that has reset the connection are read and passed on first.
    keepReadableAfterWriteError(stream, () => this.#broken());
    stream.on('data', this.pass);
    stream.on('end', this.end);
    stream.on('close', () => this.#relay.closed(this));
    stream.on('error', ignore);
    to.on('drain', () => stream.resume());
  }

  readonly pass = (bytes: Buffer): void => {
    this.#relay.received(this.name, bytes.length);
    if (!this.#to.write(bytes)) this.side.stream.pause();
  };

  /** The side sends no more: so does the other side's connection, after the bytes before. */
  readonly end = (): void => {
    this.#relay.ended(this.name);
    if (this.#isBroken) this.#relay.lose(this);
    else if (!this.#to.destroyed) this.#to.end();
  };

  #broken(): void {
    this.#isBroken = true;
    const { stream } = this.side;
    if (stream.readableEnded) this.#relay.lose(this);
    else stream.resume();
  }
}

function ignore(): void {
  // 'close' follows.
}
