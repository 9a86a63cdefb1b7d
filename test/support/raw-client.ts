// A client of raw bytes over TCP, TLS or a Unix socket. Every wait has a limit; a timeout reports the bytes received so
// far. Thread: main.

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { resetSocket } from '../../net/reset-socket.ts';
import { patientMs } from './patience.ts';

/** Limit of every wait. */
const LIMIT_MS = patientMs(10_000);

export interface RawAddress {
  readonly port?: number;
  readonly host?: string;
  /** Path of a Unix socket. */
  readonly path?: string;
  /** Uses TLS; the certificate is verified only on request. */
  readonly tls?: ConnectionOptions;
  /** Doesn't read until `startReading`. */
  readonly isHeld?: boolean;
}

/** A response as read by `readResponse`. */
export interface RawResponse {
  readonly status: number;
  /** The head, lines with CRLF, without the empty one. */
  readonly head: string;
  /** Chunked bodies as their payload. */
  readonly body: string;
}

export class RawClient {
  readonly socket: Socket;
  /** Received bytes that haven't been consumed. */
  #unread = '';
  /** 'end' after a clean FIN, or the code of an error. */
  #ending: string | null = null;
  #hasClosed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#unread += chunk.toString('latin1');
      this.#notify();
    });
    socket.on('end', () => this.#end('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    socket.on('close', () => {
      this.#hasClosed = true;
      this.#end('closed');
    });
  }

  /** Connects, with a TLS handshake if requested. */
  static async connect(address: RawAddress): Promise<RawClient> {
    const { port = 0, host = '127.0.0.1', path } = address;
    const place = path === undefined ? { port, host } : { path };
    const socket =
      address.tls === undefined
        ? connectTcp({ ...place, allowHalfOpen: true })
        : connectTls({ ...place, rejectUnauthorized: false, ...address.tls });
    const client = new RawClient(socket);
    if (address.isHeld === true) socket.pause();
    const ready = address.tls === undefined ? 'connect' : 'secureConnect';
    await within(once(socket, ready), `${ready} to ${JSON.stringify(place)}`);
    socket.setNoDelay();
    return client;
  }

  /** Received bytes that haven't been read. */
  get unread(): string {
    return this.#unread;
  }

  get tls(): TLSSocket {
    return this.socket as TLSSocket;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends FIN. */
  finish(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    resetSocket(this.socket);
  }

  destroy(): void {
    this.socket.destroy();
  }

  startReading(): void {
    this.socket.resume();
  }

  /** Reads up to and including `mark`. */
  async readUntil(mark: string): Promise<string> {
    return this.#take(() => this.#indexBehind(mark), `bytes up to ${JSON.stringify(mark)}`);
  }

  async readBytes(count: number): Promise<string> {
    const has = (): number => (this.#unread.length >= count ? count : -1);
    return this.#take(has, `${count} bytes`);
  }

  /** Reads a head, and the body that it announces by length or chunks; an interim response is one without body. */
  async readResponse(method = 'GET'): Promise<RawResponse> {
    const head = (await this.readUntil('\r\n\r\n')).slice(0, -2);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { status, head, body: '' };
    if (length !== undefined) return { status, head, body: await this.readBytes(Number(length)) };
    if (/^transfer-encoding: *chunked/im.test(head)) return { status, head, body: await this.#readChunks() };
    return { status, head, body: await this.readToEnd() };
  }

  async #readChunks(): Promise<string> {
    let body = '';
    for (;;) {
      const size = Number.parseInt(await this.readUntil('\r\n'), 16);
      if (size === 0) {
        let line = await this.readUntil('\r\n');
        while (line !== '\r\n') line = await this.readUntil('\r\n');
        return body;
      }
      body += (await this.readBytes(size + 2)).slice(0, -2);
    }
  }

  /** Reads the rest until the other side closes cleanly. Fails on a reset. */
  async readToEnd(): Promise<string> {
    const rest = await this.#readToAnyEnd();
    if (this.#ending !== 'end') throw new Error(`ended by ${this.#ending} ${this.#seen()}`);
    return rest;
  }

  /** Reads the rest until the other side resets. Fails on a clean close. */
  async readToReset(): Promise<string> {
    const rest = await this.#readToAnyEnd();
    if (this.#ending !== 'ECONNRESET') throw new Error(`expected a reset, ended by ${this.#ending} ${this.#seen()}`);
    return rest;
  }

  /** Waits until the other side has ended in any way; returns 'end' after a clean close, or an error code. */
  async whenEnded(): Promise<string> {
    await this.#until(() => this.#ending !== null, 'an end');
    return this.#ending!;
  }

  async #readToAnyEnd(): Promise<string> {
    return this.#take(() => (this.#ending === null ? -1 : this.#unread.length), 'an end');
  }

  #indexBehind(mark: string): number {
    const at = this.#unread.indexOf(mark);
    return at === -1 ? -1 : at + mark.length;
  }

  /** Waits until `findEnd` returns the end of the expected bytes. */
  async #take(findEnd: () => number, what: string): Promise<string> {
    await this.#until(() => findEnd() >= 0, what);
    const end = findEnd();
    const taken = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end);
    return taken;
  }

  async #until(isTrue: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (!isTrue()) {
      if (this.#hasClosed) throw new Error(`ended by ${this.#ending} instead of ${what} ${this.#seen()}`);
      const woken = new Promise<void>((resolve) => this.#wake.push(resolve));
      await within(woken, () => `${what} ${this.#seen()}`, deadline - Date.now());
    }
  }

  #seen(): string {
    return `(unread: ${JSON.stringify(this.#unread.slice(0, 500))}, ${this.#unread.length} bytes)`;
  }

  #end(how: string): void {
    this.#ending ??= how;
    this.#notify();
  }

  #notify(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}

/** Rejects where `promise` takes longer than it may. @param what was waited for; asked for only then */
export async function within<T>(promise: Promise<T>, what: string | (() => string), limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const tell = (): string => (typeof what === 'string' ? what : what());
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms without success for ${tell()}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
  });
}
