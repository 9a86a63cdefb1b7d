// Counts the messages in a gRPC body: each has a prefix of five bytes, a flag and its length (grpc/doc/PROTOCOL-HTTP2.md).
// Thread: both.

const PREFIX_BYTES = 5;

export class MessageCounter {
  /** Messages that have begun. */
  count = 0;
  #prefixBytes = 0;
  #length = 0;
  /** Bytes of the present message that are still due. */
  #dueBytes = 0;

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#dueBytes > 0) {
        const taken = Math.min(this.#dueBytes, chunk.length - at);
        this.#dueBytes -= taken;
        at += taken;
      } else {
        this.#addPrefix(chunk[at]!);
        at += 1;
      }
    }
  }

  #addPrefix(byte: number): void {
    // The flag shifts out of the 32 bits of the length.
    this.#length = ((this.#length << 8) | byte) >>> 0;
    this.#prefixBytes += 1;
    if (this.#prefixBytes < PREFIX_BYTES) return;
    this.count += 1;
    this.#dueBytes = this.#length;
    this.#prefixBytes = 0;
    this.#length = 0;
  }
}
