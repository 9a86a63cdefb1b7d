// TLS endpoints for tests of TCP sessions: each names itself and the facts of the connection, then echoes, and closes after
// `bye`. Thread: main.

import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { decodeProxyHeader } from '../../net/proxy-protocol/decode.ts';
import type { ProxyHeader } from '../../net/proxy-protocol/header.ts';
import { testCertificate } from './certificates.ts';

/** The first line that an endpoint sends, as JSON. */
export interface EndpointLine {
  readonly name: string;
  /** The server name that the client requested; false for none. */
  readonly serverName: string | false | null;
  readonly alpn: string | false | null;
  readonly header: ProxyHeader | null;
}

export interface TlsEndpointOptions {
  /** Also the name in its certificate. */
  readonly name: string;
  /** Whether connections begin with a PROXY protocol header. */
  readonly hasHeader?: boolean;
  /** Whether it terminates TLS; true if absent. */
  readonly isTls?: boolean;
  readonly tls?: TlsOptions;
}

/** @returns its port */
export async function startTlsEndpoint(t: TestContext, options: TlsEndpointOptions): Promise<number> {
  const { name, hasHeader = false, isTls = true } = options;
  const sockets = new Set<Socket>();
  const headers = new Map<number, ProxyHeader>();
  const serve = (socket: Socket): void => {
    const { servername = false, alpnProtocol = null } = socket as Partial<TLSSocket>;
    const header = headers.get(socket.remotePort!) ?? null;
    const line: EndpointLine = { name, serverName: servername, alpn: alpnProtocol, header };
    socket.on('error', () => undefined);
    socket.write(`${JSON.stringify(line)}\n`);
    socket.pipe(socket);
    socket.on('data', (bytes: Buffer) => bytes.length < 10 && bytes.includes('bye') && socket.end());
  };
  const { cert, key } = testCertificate([name]);
  const secure = createServer({ cert, key, allowHalfOpen: true, ...options.tls }, serve);
  const begin = (socket: Socket): void => void (isTls ? secure.emit('connection', socket) : serve(socket));
  const server = createTcpServer({ allowHalfOpen: true, pauseOnConnect: hasHeader }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (hasHeader) readHeader(socket, (header) => (headers.set(socket.remotePort!, header), begin(socket)));
    else begin(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Takes the header from a paused socket. */
function readHeader(socket: Socket, onHeader: (header: ProxyHeader) => void): void {
  let received = Buffer.alloc(0);
  const read = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    received = Buffer.concat([received, bytes]);
    const decoded = decodeProxyHeader(received);
    if (decoded.kind === 'incomplete') return;
    socket.off('readable', read);
    if (decoded.kind === 'refused') return void socket.destroy();
    if (received.length > decoded.sizeBytes) socket.unshift(received.subarray(decoded.sizeBytes));
    onHeader(decoded.header);
  };
  socket.on('readable', read);
}
