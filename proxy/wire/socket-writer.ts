// Batches the output of one connection (text, at most one chunk of bytes, more text) into as few writes as possible.
// Thread: worker.

import type { Socket } from 'node:net';
import { latin1Text } from '../http1/latin1.ts';
import type { WireMemory } from './wire-memory.ts';

/**
 * Chunks up to this size become part of the text: decoding them costs less than assembling a buffer, and Node writes
 * text up to 16 KiB without an allocation.
 */
const TEXT_CHUNK_BYTES = 4096;
const MAX_TEXT = 12_288;

export class SocketWriter {
  /** Bytes handed to the socket so far. */
  sentBytes = 0;
  readonly #socket: Socket;
  /** Whether a write that `writableLength` no longer shows has left its memory: not so under TLS. */
  readonly #isPlain: boolean;
  readonly #memory: WireMemory;
  #text = '';
  #chunk: Uint8Array | null = null;
  #suffix = '';

  constructor(socket: Socket, isTls: boolean, memory: WireMemory) {
    this.#socket = socket;
    this.#isPlain = !isTls;
    this.#memory = memory;
  }

  /** Whether nothing waits to be written. */
  get isEmpty(): boolean {
    return this.#text === '' && this.#chunk === null;
  }

  /** Adds text, one byte per character. */
  addText(text: string): void {
    if (this.#chunk === null) this.#text += text;
    else this.#suffix += text;
  }

  /** Adds bytes. They may not change before `write`, and after it only as WireMemory allows. */
  addChunk(chunk: Uint8Array): void {
    if (this.#chunk !== null) this.write();
    if (chunk.byteLength > TEXT_CHUNK_BYTES || this.#text.length > MAX_TEXT) this.#chunk = chunk;
    else this.#text += latin1Of(chunk);
  }

  /** Discards everything that waits: the connection is lost. */
  drop(): void {
    this.#text = '';
    this.#chunk = null;
    this.#suffix = '';
  }

  /** Writes everything that waits to the socket. @param done called when the system has accepted it */
  write(done?: () => void): void {
    const text = this.#text;
    const chunk = this.#chunk;
    const suffix = this.#suffix;
    this.drop();
    if (chunk === null) {
      this.sentBytes += text.length;
      this.#writeText(text, done);
    } else {
      this.sentBytes += text.length + chunk.byteLength + suffix.length;
      this.#writeParts(text, chunk, suffix, done);
    }
  }

  #writeParts(text: string, chunk: Uint8Array, suffix: string, done: (() => void) | undefined): void {
    const isVolatile = this.#memory.isShared(chunk);
    if (this.#isPlain && (isVolatile || text !== '' || suffix !== '')) {
      const whole = this.#memory.assemble(text, chunk, suffix);
      if (whole !== null) {
        this.#writeBytes(whole, done);
        return;
      }
    }
    const bytes = isVolatile ? Buffer.from(chunk) : chunk;
    if (text === '' && suffix === '') {
      this.#writeBytes(bytes, done);
      return;
    }
    this.#socket.cork();
    if (text !== '') this.#writeText(text);
    this.#writeBytes(bytes, suffix === '' ? done : undefined);
    if (suffix !== '') this.#writeText(suffix, done);
    this.#socket.uncork();
    this.#memory.keep(bytes);
  }

  /** Under TLS, Node allocates memory for each write of text: a piece of its pool costs the response a sixth less CPU. */
  #writeText(text: string, done?: () => void): void {
    if (this.#isPlain) this.#socket.write(text, 'latin1', done);
    else this.#socket.write(Buffer.from(text, 'latin1'), done);
  }

  #writeBytes(bytes: Uint8Array, done: (() => void) | undefined): void {
    const socket = this.#socket;
    socket.write(bytes, done);
    if (!this.#isPlain || socket.writableLength > 0) this.#memory.keep(bytes);
  }
}

function latin1Of(chunk: Uint8Array): string {
  const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return latin1Text(bytes, 0, bytes.length);
}
