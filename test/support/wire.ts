// Sends raw bytes to a port and collects everything until the other side closes. Thread: main.

import { connect, type Socket } from 'node:net';

/** Received bytes, and how the connection ended. */
export interface WireAnswer {
  readonly text: string;
  readonly end: 'fin' | 'reset';
}

/** Sends bytes (latin1) and reads until the other side closes. Requests should say `Connection: close`. */
export function talk(port: number, bytes: string): Promise<WireAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => resolve({ text, end: 'reset' }));
    socket.on('end', () => resolve({ text, end: 'fin' }));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

/** A connection for a dialogue in steps. */
export class WireClient {
  readonly socket: Socket;
  text = '';
  isEnded = false;
  isReset = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk: string) => {
      this.text += chunk;
      this.#wake();
    });
    this.socket.on('end', () => {
      this.isEnded = true;
      this.#wake();
    });
    this.socket.on('error', () => {
      this.isReset = true;
      this.#wake();
    });
    this.socket.on('close', () => {
      this.isEnded = true;
      this.#wake();
    });
  }

  send(bytes: string): void {
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** Waits until the received text matches, and consumes it. Fails if the connection ends first. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) {
        const taken = this.text.slice(0, match.index + match[0].length);
        this.text = this.text.slice(taken.length);
        return taken;
      }
      if (this.isEnded || this.isReset) throw new Error(`ended before ${pattern}: ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async closed(): Promise<void> {
    while (!this.isEnded && !this.isReset) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}
