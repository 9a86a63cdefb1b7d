// Client of one TCP session: sends lines, awaits their echo, and ends in one of four ways. Thread: main.

import { connect, type Socket } from 'node:net';
import { resetSocket } from '../../net/reset-socket.ts';

/** The side that ends a session, and the way. */
export const ENDINGS = ['client-fin', 'client-reset', 'endpoint-fin', 'endpoint-reset'] as const;
export type Ending = (typeof ENDINGS)[number];

const FIRST_BYTE: Readonly<Record<Ending, string>> = {
  'client-fin': 'c',
  'client-reset': 'c',
  'endpoint-fin': 'e',
  'endpoint-reset': 'r',
};

const LIMIT_MS = 60_000;

export class ClientSession {
  readonly #socket: Socket;
  readonly #ending: Ending;
  #text = '';
  #hasEnded = false;
  #hasFailed = false;
  #wake: (() => void) | null = null;

  constructor(port: number, ending: Ending) {
    this.#ending = ending;
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket
      .on('data', (bytes: Buffer) => {
        this.#text += bytes.toString('latin1');
        this.#wake?.();
      })
      .on('end', () => {
        this.#hasEnded = true;
        this.#wake?.();
      })
      .on('error', () => {
        this.#hasFailed = true;
      })
      .on('close', () => this.#wake?.());
  }

  /** Sends a word without a line feed, and waits for its echo. @throws Error where it doesn't come */
  async exchange(word: string): Promise<void> {
    const sent = `${FIRST_BYTE[this.#ending]}${word}`;
    const wanted = this.#text + sent;
    this.#socket.write(sent);
    await this.#until(() => this.#text === wanted || this.#socket.destroyed, `the echo of ${word}`);
    if (this.#text !== wanted) throw new Error(`received ${JSON.stringify(this.#text.slice(0, 80))}`);
  }

  /** Ends the session. @throws Error where the end is another one, or bytes are lost */
  async end(): Promise<void> {
    const line = 'the last line\n';
    const wanted = this.#text + line;
    if (this.#ending === 'client-reset') return resetSocket(this.#socket);
    if (this.#ending === 'client-fin') this.#socket.end(line);
    else this.#socket.write(line);
    await this.#until(() => this.#hasEnded || this.#socket.destroyed, 'the end');
    const isReset = this.#ending === 'endpoint-reset';
    if (isReset !== this.#hasFailed) throw new Error(`${this.#ending}: ${isReset ? 'no reset' : 'a reset'}`);
    if (!isReset && this.#text !== wanted) throw new Error(`${this.#ending}: bytes are missing`);
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #until(isMet: () => boolean, what: string): Promise<void> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    while (!isMet()) {
      if (limit.aborted) throw new Error(`${what} did not come within ${LIMIT_MS / 1000} s`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
