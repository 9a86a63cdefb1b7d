// An endpoint that expects PROXY protocol headers: reads one from each connection, then serves HTTP/1.1 or HTTP/2, with or
// without TLS, and answers with the header and the number of the connection. Thread: main.

import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2, createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { decodeProxyHeader } from '../../net/proxy-protocol/decode.ts';
import type { ProxyHeader } from '../../net/proxy-protocol/header.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from './origin-certificate.ts';

export type OriginKind = 'http' | 'https' | 'h2c' | 'h2';

/** The body of an answer. */
export interface ProxiedAnswer {
  readonly connection: number;
  readonly header: ProxyHeader;
}

const TLS = { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY };

export class ProxiedOrigin {
  readonly port: number;
  /** Of the connections that have requests; the causes of those that were refused. */
  readonly headers: readonly ProxyHeader[];
  readonly refused: readonly string[];
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(port: number, headers: ProxyHeader[], refused: string[], sockets: ReadonlySet<Socket>) {
    this.port = port;
    this.headers = headers;
    this.refused = refused;
    this.#sockets = sockets;
  }

  static async start(t: TestContext, kind: OriginKind): Promise<ProxiedOrigin> {
    const headers: ProxyHeader[] = [];
    const refused: string[] = [];
    const sockets = new Set<Socket>();
    const numbers = new Map<number | undefined, ProxiedAnswer>();
    const server = serverOf(kind, (request) => numbers.get(request.socket.remotePort)!);
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      readHeader(socket, refused, (header) => {
        const connection = headers.push(header);
        numbers.set(socket.remotePort, { connection, header });
        server.emit('connection', socket);
      });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    });
    return new ProxiedOrigin((listener.address() as AddressInfo).port, headers, refused, sockets);
  }

  get openConnections(): number {
    return this.#sockets.size;
  }
}

function readHeader(socket: Socket, refused: string[], done: (header: ProxyHeader) => void): void {
  let bytes = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const decoded = decodeProxyHeader(bytes);
    if (decoded.kind === 'incomplete') return;
    socket.off('data', onData);
    socket.pause();
    if (decoded.kind === 'refused') {
      refused.push(decoded.cause);
      socket.destroy();
      return;
    }
    const rest = bytes.subarray(decoded.sizeBytes);
    if (rest.length > 0) socket.unshift(rest);
    done(decoded.header);
    if (socket.listenerCount('data') > 0 || socket.listenerCount('readable') > 0) socket.resume();
  };
  socket.on('data', onData);
}

function serverOf(kind: OriginKind, answerFor: (request: IncomingMessage) => ProxiedAnswer): Server {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answerFor(request)));
  };
  const server = makeServer(kind, answer);
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    socket.end(JSON.stringify(answerFor(request)));
  });
  return server;
}

/** The compatibility API of node:http2 calls the listener as node:http does. */
function makeServer(kind: OriginKind, answer: (request: IncomingMessage, response: ServerResponse) => void): Server {
  if (kind === 'http') return createHttp(answer);
  if (kind === 'https') return createHttps(TLS, answer) as unknown as Server;
  const listener = answer as unknown as Parameters<typeof createHttp2>[1];
  return (kind === 'h2c' ? createHttp2({}, listener) : createSecureServer(TLS, listener as never)) as unknown as Server;
}
