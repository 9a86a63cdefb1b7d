// Reads HTTP/1.1 responses with the platform's parser (llhttp, through node:http's client) over real sockets: the second
// opinion on what an endpoint sends.

import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** What the platform made of the bytes that answered a GET. */
export interface PlatformResponse {
  /** Null where no final head was read. */
  readonly status: number | null;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Code of the error, '' where the response was read whole. */
  readonly error: string;
}

const NOTHING: PlatformResponse = { status: null, fields: [], body: '', trailers: [], error: '' };

/** A server that plays bytes and ends, and a client of the platform that reads them. */
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

  /** Asks by GET, and is answered with these bytes (latin1), behind which the connection ends. One at a time. */
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
