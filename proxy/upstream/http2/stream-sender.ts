// The request body on its way to one stream: announced length, flow control, and the bytes that wait for a window.
// Thread: worker.

import type { FieldList } from '../../../core/head.ts';
import { SendWindow } from '../../http2/flow-window.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import { RequestBodyFraming } from '../request-body-framing.ts';

/** The connection of a stream, as its body uses it. */
export interface BodyOutlet {
  /** Bytes of a body that may be sent now: the connection's window, 0 while the socket takes no more. */
  readonly roomBytes: number;
  /** Sends DATA and spends the connection's window. */
  writeData(stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** Ends the request: by an empty DATA frame, or by trailers. */
  writeEnd(stream: number, trailers: FieldList | null): void;
}

/** Results of sending. */
export const Sent = {
  /** All bytes were handed to the connection. */
  ALL: 0,
  /** Some bytes wait: the sender is to be pumped once a window or the socket opens. */
  HELD: 1,
  /** The body differs from its announced length. */
  WRONG_LENGTH: 2,
} as const;
export type Sent = (typeof Sent)[keyof typeof Sent];

/** At most one chunk waits: the exchange stops the client after it. */
export class StreamSender {
  readonly window: SendWindow;
  /** Whether the exchange was stopped, and waits for room. */
  owesDrain = false;
  readonly #framing = new RequestBodyFraming();
  readonly #held = new HeldBytes();
  #isEndDue = false;
  #trailers: FieldList | null = null;

  /** @param windowBytes the peer's initial window @param bodyLength as in RequestHead */
  constructor(windowBytes: number, bodyLength: number) {
    this.window = new SendWindow(windowBytes);
    this.#framing.begin(bodyLength);
  }

  /** Whether the end of the request was sent. */
  get isDone(): boolean {
    return this.#framing.isEnded && !this.#isEndDue;
  }

  /** Whether the exchange has ended the body, or discarded it. */
  get isEnded(): boolean {
    return this.#framing.isEnded;
  }

  add(outlet: BodyOutlet, stream: number, chunk: Uint8Array): Sent {
    if (!this.#framing.add(chunk.byteLength)) return Sent.WRONG_LENGTH;
    const sent = this.#held.length > 0 ? 0 : this.#write(outlet, stream, chunk, 0, chunk.byteLength);
    if (sent === chunk.byteLength) return Sent.ALL;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#held.addCopy(bytes, sent, bytes.length);
    return Sent.HELD;
  }

  end(outlet: BodyOutlet, stream: number, trailers: FieldList | null): Sent {
    if (!this.#framing.end()) return Sent.WRONG_LENGTH;
    if (this.#held.length === 0) {
      outlet.writeEnd(stream, trailers);
      return Sent.ALL;
    }
    this.#isEndDue = true;
    this.#trailers = trailers;
    return Sent.HELD;
  }

  /** Sends what waits, as far as windows and socket permit. */
  pump(outlet: BodyOutlet, stream: number): Sent {
    const held = this.#held;
    if (held.length > 0) held.consumeTo(held.start + this.#write(outlet, stream, held.bytes, held.start, held.end));
    if (held.length > 0) return Sent.HELD;
    if (this.#isEndDue) {
      this.#isEndDue = false;
      outlet.writeEnd(stream, this.#trailers);
    }
    return Sent.ALL;
  }

  /** Returns whether the exchange, which was stopped, may send more now. */
  takeDrain(outlet: BodyOutlet): boolean {
    if (!this.owesDrain || outlet.roomBytes <= 0) return false;
    this.owesDrain = false;
    return !this.isEnded;
  }

  /** Discards what waits: the stream has ended. */
  abandon(): void {
    this.#held.clear();
    this.#isEndDue = false;
    this.#framing.abandon();
  }

  /** @returns how many bytes were sent */
  #write(outlet: BodyOutlet, stream: number, bytes: Uint8Array, start: number, end: number): number {
    const size = Math.min(end - start, this.window.available, outlet.roomBytes);
    if (size <= 0) return 0;
    this.window.spend(size);
    outlet.writeData(stream, bytes, start, start + size);
    return size;
  }
}
