// HTTP/2 clients that leave connections idle or streams open, and an endpoint that answers none of these. Thread: main.

import { once } from 'node:events';
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A path whose requests are never answered. */
const HELD = '/held';

/** An HTTP/2 endpoint with prior knowledge. */
export async function startHttp2Endpoint(): Promise<{ readonly port: number; close(): void }> {
  const server: Http2Server = http2.createServer();
  server.on('stream', (stream: ServerHttp2Stream, head) => {
    stream.on('error', () => undefined);
    if (head[':path'] !== HELD) stream.respond({ ':status': 204 }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

export class Http2Client {
  readonly #session: ClientHttp2Session;
  readonly #held: ClientHttp2Stream[] = [];

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Opens a connection and sends one request. @throws Error where it isn't answered well */
  static async open(port: number, isTls: boolean): Promise<Http2Client> {
    const session = http2.connect(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on('error', () => undefined);
    const stream = session.request({ ':path': '/' });
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
    if (head[':status'] !== 200 && head[':status'] !== 204) throw new Error(`status ${head[':status']}`);
    await once(stream.resume(), 'close');
    return new Http2Client(session);
  }

  /** Opens streams whose requests are complete and are never answered. */
  hold(streams: number): void {
    for (let at = 0; at < streams; at += 1) {
      const stream = this.#session.request({ ':path': HELD });
      stream.on('error', () => undefined);
      this.#held.push(stream);
    }
  }

  get isOver(): boolean {
    return this.#session.destroyed || this.#held.some((stream) => stream.destroyed);
  }

  leave(): void {
    this.#session.destroy();
  }
}
