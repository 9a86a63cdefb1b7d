// Reads HTTP/1.1 responses with the platform's parser (llhttp, through node:http's client) over real sockets: a second
// opinion on an endpoint's bytes.

import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** The platform's result for the bytes of a response to GET. */
export interface PlatformResponse {
  /** Null if no final head was read. */
  readonly status: number | null;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Error code, '' for a complete response. */
  readonly error: string;
}

const NOTHING: PlatformResponse = { status: null, fields: [], body: '', trailers: [], error: '' };

/** A server that plays bytes and closes, and the platform's client that reads them. */
export class PlatformClient {
  readonly #server: Server;
  #bytes = Buffer.alloc(0);

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(this.#bytes));
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Sends a GET and answers it with these bytes (latin1), after which the connection ends. One at a time. */
  read(text: string): Promise<PlatformResponse> {
    this.#bytes = Buffer.from(text, 'latin1');
    const { port } = this.#server.address() as AddressInfo;
    return new Promise((resolve) => {
      const asked = request({ port, host: '127.0.0.1', agent: false, maxHeaderSize: 32_768 });
      asked.on('error', (error: NodeJS.ErrnoException) => resolve({ ...NOTHING, error: error.code ?? error.message }));
      asked.on('response', (response) => {
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => (body += chunk));
        const ended = (error: string): void =>
          resolve({
            status: response.statusCode!,
            fields: response.rawHeaders,
            body,
            trailers: response.rawTrailers,
            error,
          });
        response.on('error', (error: NodeJS.ErrnoException) => ended(error.code ?? error.message));
        response.on('end', () => ended(''));
      });
      asked.end();
    });
  }
}
