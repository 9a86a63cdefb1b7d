// Decodes base64 in chunks. Padding may occur inside: senders encode each message, or each part of one, by itself.
// Thread: worker.

const GROUP = 4;
const VALID = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/;
/** Groups up to one with padding, or up to the end. */
const SEGMENT = /[^=]+={0,2}/g;

export class Base64Decoder {
  /** Characters of an incomplete group. */
  #rest = '';

  /** Whether no group is incomplete. */
  get isWhole(): boolean {
    return this.#rest === '';
  }

  /** @returns null for what is no base64 */
  decode(chunk: Uint8Array): Buffer | null {
    const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const end = text.length - (text.length % GROUP);
    const groups = text.slice(0, end);
    this.#rest = text.slice(end);
    if (!VALID.test(groups)) return null;
    const segments = groups.match(SEGMENT) ?? [];
    return Buffer.concat(segments.map((segment) => Buffer.from(segment, 'base64')));
  }
}
