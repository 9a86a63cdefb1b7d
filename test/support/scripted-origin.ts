// A raw origin over TCP, TLS or a Unix socket that plays scripted bytes and records every received byte. Its reader is
// independent of our codec, so that a framing error appears as a wrong number of requests. Thread: main.

import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestReader, type ReceivedRequest } from './request-reader.ts';
import { resetSocket } from '../../net/reset-socket.ts';

/** One step of the origin's script for a request. */
export type Step = (socket: Socket, request: ReceivedRequest) => void | Promise<unknown>;

/** Writes bytes; text is latin1. */
export function send(bytes: string | Buffer): Step {
  return (socket) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
}

/** Writes bytes in pieces, each in a separate turn. */
export function dribble(text: string, pieceBytes: number): Step {
  return async (socket) => {
    for (let at = 0; at < text.length && !socket.destroyed; at += pieceBytes) {
      await new Promise((resolve) => socket.write(Buffer.from(text.slice(at, at + pieceBytes), 'latin1'), resolve));
      await nextTurn();
    }
  };
}

/** Waits for the end of the request's body. */
export function bodyRead(): Step {
  return (_socket, request) => request.completed;
}

/** Waits for a promise of the test. */
export function until(moment: Promise<unknown>): Step {
  return () => moment;
}

/** Sends FIN after the sent bytes. */
export function fin(): Step {
  return (socket) => void socket.end();
}

/** Sends RST at once. */
export function reset(): Step {
  return (socket) => resetSocket(socket);
}

/** Sends nothing more. */
export function hang(): Step {
  return (socket) => eventOrClose(socket, 'close');
}

/** Waits for an event of a socket, or for its end if that is first. */
export async function eventOrClose(socket: Socket, event: 'data' | 'drain' | 'close'): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off(event, done);
      socket.off('close', done);
      resolve();
    };
    socket.on(event, done);
    socket.on('close', done);
  });
}

/** A response with a body of known length. */
export function answer(body = 'ok', fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

/** A connection on the origin's side. */
export class OriginConnection {
  readonly socket: Socket;
  /** Resolves when the other side has closed or reset it. */
  readonly gone: Promise<'fin' | 'reset'>;
  /** Resolves when it is closed on our side too. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.gone = new Promise((resolve) => {
      socket.once('end', () => resolve('fin'));
      socket.on('error', () => resolve('reset'));
      socket.once('close', (hadError) => resolve(hadError ? 'reset' : 'fin'));
    });
  }
}

export interface OriginOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** A Unix socket in place of a port. */
  readonly path?: string;
  /** Whether its side stays open after the other side has closed. */
  readonly allowHalfOpen?: boolean;
}

export class ScriptedOrigin {
  readonly requests: ReceivedRequest[] = [];
  readonly connections: OriginConnection[] = [];
  /** Default script. */
  otherwise: readonly Step[] = [bodyRead(), send(answer())];
  readonly #server: net.Server;
  readonly #scripts: (readonly Step[])[] = [];
  readonly #greetings: (readonly Step[])[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(options: OriginOptions) {
    const accept = (socket: Socket): void => this.#accept(socket);
    const { allowHalfOpen = false } = options;
    this.#server =
      options.tls === undefined
        ? net.createServer({ allowHalfOpen }, accept)
        : tls.createServer({ ...options.tls, allowHalfOpen }, accept);
    this.#server.on('tlsClientError', () => undefined);
  }

  static async listen(options: OriginOptions = {}): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin(options);
    origin.#server.listen(options.path === undefined ? { port: 0, host: '127.0.0.1' } : { path: options.path });
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Script of the next request without one. Steps begin when its head has arrived. */
  play(...steps: Step[]): void {
    this.#scripts.push(steps);
  }

  /** Script of the next connection before any request is read. */
  greet(...steps: Step[]): void {
    this.#greetings.push(steps);
  }

  /** The request with this number, from 0, as soon as its head has arrived. */
  async request(index: number): Promise<ReceivedRequest> {
    await this.#until(() => this.requests.length > index);
    return this.requests[index]!;
  }

  /** The connection with this number, from 0. */
  async connection(index: number): Promise<OriginConnection> {
    await this.#until(() => this.connections.length > index);
    return this.connections[index]!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    socket.setNoDelay(true);
    const connection = new OriginConnection(socket);
    const reader = new RequestReader();
    let playing = this.#runAll(this.#greetings.shift() ?? [], socket, new RequestReader().next());
    let current: ReceivedRequest | null = null;
    socket.on('data', (bytes: Buffer) => {
      for (const request of reader.feed(bytes)) {
        if (request === current) continue;
        current = request;
        this.requests.push(request);
        const script = this.#scripts.shift() ?? this.otherwise;
        playing = playing.then(() => this.#runAll(script, socket, request));
      }
      this.#tell();
    });
    this.connections.push(connection);
    this.#tell();
  }

  async #runAll(steps: readonly Step[], socket: Socket, request: ReceivedRequest): Promise<void> {
    for (const step of steps) {
      if (socket.destroyed) return;
      await step(socket, request);
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #tell(): void {
    for (const resolve of this.#watchers) resolve();
    this.#watchers.clear();
  }
}
