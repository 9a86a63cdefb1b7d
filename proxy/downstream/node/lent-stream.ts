// The stream of a connection while node:http serves it: it can be taken back with the bytes that node:http has not
// understood, and with the listeners that it had before. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes held for the next server of the stream; it isn't read beyond them. */
const MAX_HELD_BYTES = 65_536;

const LF = 0x0a;

type Listener = (...values: unknown[]) => void;

export class LentStream {
  readonly #stream: Socket;
  readonly #before: ReadonlyMap<string | symbol, ReadonlySet<unknown>>;
  readonly #held: Buffer[] = [];
  /** The last byte that node:http got before the present packet; LF before the first. */
  #lastByte = LF;
  #endsWithLine = true;
  #heldBytes = 0;

  /** The caller lends the stream to node:http next, and then calls `watch`. */
  constructor(stream: Socket) {
    this.#stream = stream;
    this.#before = new Map(stream.eventNames().map((name) => [name, new Set(stream.rawListeners(name))]));
  }

  /** From here on the bytes of each packet are noted. node:http listens already, so that it gets each packet first. */
  watch(): void {
    this.#stream.on('data', this.#note);
  }

  /** node:http has parsed the head of the next request. */
  noteRequest({ headers }: IncomingMessage): void {
    const length = headers['content-length'];
    this.#endsWithLine = length === undefined || Number(length) === 0;
  }

  /** Whether all requests so far end with a line; a body with Content-Length may end anywhere. */
  get endsWithLine(): boolean {
    return this.#endsWithLine;
  }

  /** Whether the packet that node:http is parsing begins with a line. */
  get isAtLineStart(): boolean {
    return this.#lastByte === LF;
  }

  /** Holds the bytes, and all that follow: node:http gets none of them. It may still write responses. */
  holdFrom(bytes: Buffer): void {
    // Before the others are removed: node:http reads the handle past the stream until someone listens.
    this.#stream.on('data', this.#hold);
    this.#removeAdded('data', this.#hold);
    this.#hold(bytes);
  }

  /** Takes the stream back: puts the held bytes back, and removes the listeners added since it was lent. */
  takeBack(): void {
    const stream = this.#stream;
    for (const name of stream.eventNames()) this.#removeAdded(name);
    // NodeHttp1Connection has replaced it.
    delete (stream as Partial<Socket>).destroySoon;
    stream.unshift(Buffer.concat(this.#held));
  }

  readonly #note = (bytes: Buffer): void => {
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
  };

  readonly #hold = (bytes: Buffer): void => {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#stream.pause();
  };

  #removeAdded(name: string | symbol, except?: unknown): void {
    const before = this.#before.get(name);
    for (const listener of this.#stream.rawListeners(name)) {
      if (listener !== except && before?.has(listener) !== true) this.#stream.off(name, listener as Listener);
    }
  }
}
