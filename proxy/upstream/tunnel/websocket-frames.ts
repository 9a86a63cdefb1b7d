// Tracks frame boundaries in the bytes that an endpoint sends on a WebSocket: a frame of ours may be inserted only
// between two frames. Thread: worker.

/** Close frame with code 1001, going away (RFC 6455 sections 5.5.1 and 7.4.1); unmasked, as servers send it. */
export const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

const IS_MASKED = 0x80;
const LENGTH_BITS = 0x7f;
const MASK_BYTES = 4;

export class WebSocketFrames {
  readonly #head: number[] = [];
  #payloadLeft = 0;

  /** Whether the bytes seen so far end at a frame boundary. */
  get isBetween(): boolean {
    return this.#payloadLeft === 0 && this.#head.length === 0;
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, bytes.length - at);
        this.#payloadLeft -= taken;
        at += taken;
        continue;
      }
      this.#head.push(bytes[at++]!);
      const payload = payloadOf(this.#head);
      if (payload < 0) continue;
      this.#payloadLeft = payload;
      this.#head.length = 0;
    }
  }
}

/** Payload bytes that follow a frame header, or -1 if the header is incomplete (RFC 6455 section 5.2). */
function payloadOf(head: readonly number[]): number {
  if (head.length < 2) return -1;
  const short = head[1]! & LENGTH_BITS;
  const more = short === 126 ? 2 : short === 127 ? 8 : 0;
  const mask = (head[1]! & IS_MASKED) === 0 ? 0 : MASK_BYTES;
  if (head.length < 2 + more + mask) return -1;
  return more === 0 ? short : head.slice(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
}
