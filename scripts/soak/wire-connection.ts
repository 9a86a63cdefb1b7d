// Client connection of a soak: sends bytes, reads responses, and leaves in every possible way. Thread: main.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { resetSocket } from '../../net/reset-socket.ts';

const PATIENCE_MS = 15_000;
const LF = 0x0a;

/** A final response; interim ones are skipped. */
export interface WireResponse {
  readonly status: number;
  readonly bodyBytes: number;
  readonly body: string;
  /** Whether it is the last response on its connection. */
  readonly isLast: boolean;
}

export class WireConnection {
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #isOver = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
    }
  }

  /** @throws Error when the connection cannot be established */
  static async open(port: number, isTls: boolean): Promise<WireConnection> {
    const place = { port, host: '127.0.0.1' };
    const socket = isTls ? connectTls({ ...place, rejectUnauthorized: false }) : connectTcp(place);
    await once(socket, isTls ? 'secureConnect' : 'connect');
    socket.setNoDelay(true);
    return new WireConnection(socket);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Waits for the first byte. */
  async readAnything(): Promise<void> {
    await this.#until(() => this.#unread.length > 0);
  }

  /** @throws Error when no complete response arrives */
  async readResponse(): Promise<WireResponse> {
    for (;;) {
      let end = -1;
      await this.#until(() => (end = this.#unread.indexOf('\r\n\r\n')) >= 0);
      const head = this.#unread.toString('latin1', 0, end + 2);
      this.#unread = this.#unread.subarray(end + 4);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
      if (status >= 100 && status < 200) continue;
      const body = await this.#readBody(head);
      const isLast = /^connection: *close/im.test(head);
      return { status, bodyBytes: body.length, body: body.toString('latin1', 0, 200), isLast };
    }
  }

  async #readBody(head: string): Promise<Buffer> {
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) return this.#take(Number(length));
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      const data = await this.#take(size + 2);
      if (size === 0) return Buffer.concat(parts);
      parts.push(data.subarray(0, size));
    }
  }

  async #line(): Promise<string> {
    let end = -1;
    await this.#until(() => (end = this.#unread.indexOf(LF)) >= 0);
    return (await this.#take(end + 1)).toString('latin1');
  }

  async #take(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#unread.length >= bytes);
    const taken = this.#unread.subarray(0, bytes);
    this.#unread = this.#unread.subarray(bytes);
    return taken;
  }

  /** Closes the connection at once, with unread data. */
  leave(how: 'fin' | 'reset' | 'destroy'): void {
    if (how === 'fin') this.#socket.end();
    else if (how === 'reset' && !('encrypted' in this.#socket)) resetSocket(this.#socket);
    if (how !== 'fin') this.#socket.destroy();
    else this.#socket.resume();
  }

  async #until(isThere: () => boolean): Promise<void> {
    if (isThere()) return;
    let patience: NodeJS.Timeout | null = null;
    try {
      await new Promise<void>((resolve, reject) => {
        patience = setTimeout(() => reject(new Error('time-out')), PATIENCE_MS);
        const look = (): void => {
          if (isThere()) resolve();
          else if (this.#isOver) reject(new Error('the connection ended'));
        };
        this.#wake = look;
        look();
      });
    } finally {
      if (patience !== null) clearTimeout(patience);
      this.#wake = null;
    }
  }
}
