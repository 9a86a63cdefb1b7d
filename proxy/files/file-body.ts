// Reads a part of an open file for a receiver, with back-pressure, and closes the file. Thread: worker.

import fs from 'node:fs';
import type { OpenFile } from './open-file.ts';

const CHUNK_BYTES = 65_536;

/** Receives the part. Calls come in turns of the event loop of their own. */
export interface FileReceiver {
  /** Returns false where it takes no more: `resume` follows. */
  data(chunk: Uint8Array): boolean;
  end(): void;
  /** The file has become shorter, or can't be read. */
  fail(error: Error): void;
}

export class FileBody {
  readonly #file: OpenFile;
  readonly #defer: (run: () => void) => void;
  #receiver: FileReceiver | null = null;
  #at: number;
  #left: number;
  #isReading = false;
  /** Whether the receiver takes data. */
  #isFlowing = true;
  #isOver = false;

  /** @param defer runs a function later, in a turn of the event loop */
  constructor(file: OpenFile, start: number, length: number, defer: (run: () => void) => void) {
    this.#file = file;
    this.#at = start;
    this.#left = length;
    this.#defer = defer;
  }

  /** Reads all of it. */
  start(receiver: FileReceiver): void {
    this.#receiver = receiver;
    this.#next();
  }

  /** The receiver takes data again. */
  resume(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    this.#next();
  }

  /** Closes the file. No call of the receiver follows. */
  cancel(): void {
    this.#isOver = true;
    this.#receiver = null;
    if (!this.#isReading) this.#file.close();
  }

  #next(): void {
    if (this.#isReading || this.#isOver || !this.#isFlowing) return;
    if (this.#left === 0) {
      this.#finish((receiver) => receiver.end());
      return;
    }
    this.#isReading = true;
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, this.#left));
    fs.read(this.#file.descriptor, buffer, 0, buffer.byteLength, this.#at, (error, bytes) => {
      this.#isReading = false;
      if (this.#isOver) this.#file.close();
      else this.#defer(() => this.#received(error, buffer, bytes));
    });
  }

  #received(error: Error | null, buffer: Buffer, bytes: number): void {
    if (this.#isOver) {
      this.#file.close();
      return;
    }
    if (error !== null || bytes === 0) {
      const cause = error ?? new Error(`the file has become ${this.#left} bytes shorter`);
      this.#finish((receiver) => receiver.fail(cause));
      return;
    }
    this.#at += bytes;
    this.#left -= bytes;
    if (this.#left === 0) this.#file.close();
    this.#isFlowing = this.#receiver!.data(bytes === buffer.byteLength ? buffer : buffer.subarray(0, bytes));
    // The end does not wait for the client: what it has not taken yet is no longer the file's.
    if (this.#left === 0) this.#isFlowing = true;
    this.#next();
  }

  #finish(tell: (receiver: FileReceiver) => void): void {
    const receiver = this.#receiver;
    this.cancel();
    if (receiver !== null) tell(receiver);
  }
}
