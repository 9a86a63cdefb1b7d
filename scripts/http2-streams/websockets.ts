// WebSockets that share one HTTP/2 connection (RFC 8441), and an HTTP/2 endpoint that sends back what they send. Thread: main.

import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A masked text frame of 20 bytes (RFC 6455 section 5.2); the endpoint sends it back as it is. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | 20, 0, 0, 0, 0]), Buffer.alloc(20, 'm')]);

/** An HTTP/2 endpoint with prior knowledge that accepts extended CONNECT. */
export async function startEchoEndpoint(): Promise<{ readonly port: number; close(): void }> {
  const server = http2.createServer({ settings: { enableConnectProtocol: true } });
  server.on('stream', (stream: ServerHttp2Stream, head) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': head[':protocol'] === 'websocket' ? 200 : 400 });
    stream.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

export class WebSocketCrowd {
  readonly #session: ClientHttp2Session;
  readonly #streams: readonly ClientHttp2Stream[];

  private constructor(session: ClientHttp2Session, streams: readonly ClientHttp2Stream[]) {
    this.#session = session;
    this.#streams = streams;
  }

  /** Opens them all over one connection. @throws Error where one isn't accepted */
  static async open(port: number, count: number): Promise<WebSocketCrowd> {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    session.setMaxListeners(0);
    await once(session, 'remoteSettings');
    const streams = await Promise.all(Array.from({ length: count }, (_, index) => openOne(session, index)));
    return new WebSocketCrowd(session, streams);
  }

  /** Sends a message on each, and waits until all have come back. */
  async exchange(): Promise<void> {
    await Promise.all(this.#streams.map(exchangeOne));
  }

  async close(): Promise<void> {
    const closed = this.#streams.map((stream) => once(stream, 'close'));
    for (const stream of this.#streams) stream.end();
    await Promise.all(closed);
    this.#session.close();
  }
}

async function openOne(session: ClientHttp2Session, index: number): Promise<ClientHttp2Stream> {
  const fields = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': `/${index}`,
    'sec-websocket-version': '13',
  };
  const stream = session.request(fields);
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  if (head[':status'] !== 200) throw new Error(`WebSocket ${index}: status ${head[':status']}`);
  return stream;
}

async function exchangeOne(stream: ClientHttp2Stream): Promise<void> {
  let received = 0;
  stream.write(FRAME);
  while (received < FRAME.length) {
    const [bytes] = (await once(stream, 'data')) as [Buffer];
    if (!bytes.equals(FRAME.subarray(received, received + bytes.length))) throw new Error('another message came back');
    received += bytes.length;
  }
}
