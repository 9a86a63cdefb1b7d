// Reads HTTP/1.1 streams with the platform's parser (llhttp, through node:http) over real sockets: a second opinion.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** A request that the platform has read completely. */
export interface PlatformMessage {
  readonly start: readonly string[];
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** The platform's result for a stream. */
export interface PlatformResult {
  readonly messages: readonly PlatformMessage[];
  /** Code of the parser's error, or ''. */
  readonly error: string;
}

interface Reading {
  readonly messages: PlatformMessage[];
  error: string;
}

/** A server that records its parser's results for each connection. */
export class PlatformReader {
  readonly #server: Server;
  readonly #readings = new Map<number, Reading>();

  constructor() {
    this.#server = createServer({ maxHeaderSize: 32_768, keepAliveTimeout: 60_000 });
    this.#server.maxHeadersCount = 0;
    this.#server.on('connection', (socket) => {
      this.#readings.set(socket.remotePort!, { messages: [], error: '' });
    });
    this.#server.on('request', (request, response) => {
      this.#record(request);
      response.end();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const reading = this.#readings.get((socket as Socket).remotePort!);
      if (reading !== undefined && reading.error === '') reading.error = error.code ?? error.message;
      socket.destroy();
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #record(request: IncomingMessage): void {
    const reading = this.#readings.get(request.socket.remotePort!)!;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('end', () => {
      const start = [request.method!, request.url!];
      reading.messages.push({ start, fields: request.rawHeaders, body, trailers: request.rawTrailers });
    });
  }

  /** Sends a stream (latin1) and FIN on a new connection. */
  async read(text: string): Promise<PlatformResult> {
    const socket = connect({ port: (this.#server.address() as AddressInfo).port, host: '127.0.0.1' });
    // A refusal may end in a reset; the parser's result counts.
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    const port = socket.localPort!;
    socket.end(Buffer.from(text, 'latin1'));
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    const reading = this.#readings.get(port)!;
    this.#readings.delete(port);
    return reading;
  }
}
