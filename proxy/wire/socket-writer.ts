// What one connection is about to write: text, perhaps one chunk of bytes, text behind it. Goes out in as few writes as
// can be. Thread: worker.

import type { Socket } from 'node:net';
import { latin1Text } from '../http1/latin1.ts';
import type { WireMemory } from './wire-memory.ts';

/**
 * Chunks up to this become part of the text: turning them into a string costs less than putting a buffer together.
 * And text up to 16 KiB is written without an allocation by Node.
 */
const TEXT_CHUNK_BYTES = 4096;
const MAX_TEXT = 12_288;

export class SocketWriter {
  /** Bytes handed to the socket so far. */
  sentBytes = 0;
  readonly #socket: Socket;
  /** Whether a write that `writableLength` doesn't show any more has left its memory: not so under TLS. */
  readonly #isPlain: boolean;
  readonly #memory: WireMemory;
  #text = '';
  #chunk: Uint8Array | null = null;
  #behind = '';

  constructor(socket: Socket, isTls: boolean, memory: WireMemory) {
    this.#socket = socket;
    this.#isPlain = !isTls;
    this.#memory = memory;
  }

  /** Whether nothing waits here to be written. */
  get isEmpty(): boolean {
    return this.#text === '' && this.#chunk === null;
  }

  /** Adds text, a byte a character. */
  addText(text: string): void {
    if (this.#chunk === null) this.#text += text;
    else this.#behind += text;
  }

  /** Adds bytes. They may not change before `write`, and later only where WireMemory says so. */
  addChunk(chunk: Uint8Array): void {
    if (this.#chunk !== null) this.write();
    if (chunk.byteLength > TEXT_CHUNK_BYTES || this.#text.length > MAX_TEXT) this.#chunk = chunk;
    else this.#text += latin1Of(chunk);
  }

  /** Forgets what waits: the connection is gone. */
  drop(): void {
    this.#text = '';
    this.#chunk = null;
    this.#behind = '';
  }

  /** Hands all that waits to the socket. @param done called when the system has taken it; only where that is asked */
  write(done?: () => void): void {
    const text = this.#text;
    const chunk = this.#chunk;
    const behind = this.#behind;
    this.drop();
    if (chunk === null) {
      this.sentBytes += text.length;
      this.#socket.write(text, 'latin1', done);
    } else {
      this.sentBytes += text.length + chunk.byteLength + behind.length;
      this.#writeParts(text, chunk, behind, done);
    }
  }

  #writeParts(text: string, chunk: Uint8Array, behind: string, done: (() => void) | undefined): void {
    const isVolatile = this.#memory.isShared(chunk);
    if (this.#isPlain && (isVolatile || text !== '' || behind !== '')) {
      const whole = this.#memory.assemble(text, chunk, behind);
      if (whole !== null) {
        this.#writeBytes(whole, done);
        return;
      }
    }
    const bytes = isVolatile ? Buffer.from(chunk) : chunk;
    if (text === '' && behind === '') {
      this.#writeBytes(bytes, done);
      return;
    }
    this.#socket.cork();
    if (text !== '') this.#socket.write(text, 'latin1');
    this.#writeBytes(bytes, behind === '' ? done : undefined);
    if (behind !== '') this.#socket.write(behind, 'latin1', done);
    this.#socket.uncork();
    this.#memory.keep(bytes);
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
