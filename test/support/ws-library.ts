// The parts of ws that tests use, typed here; over streams of HTTP/2, which ws doesn't know, too. Thread: main.

import { createRequire } from 'node:module';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A WebSocket of either side. */
export interface WsSocket {
  send(message: string | Buffer): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: string, listener: (...given: never[]) => void): this;
  once(event: string, listener: (...given: never[]) => void): this;
  setSocket(stream: Duplex, head: Buffer, options: SocketOptions): void;
}

interface SocketOptions {
  readonly maxPayload: number;
  readonly skipUTF8Validation: boolean;
  readonly allowSynchronousEvents: boolean;
}

interface WsServer {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: WsSocket) => void): void;
}

interface Library {
  WebSocket: new (url: string | null, protocols?: string[], options?: Record<string, unknown>) => WsSocket;
  WebSocketServer: new (options: { readonly noServer: true; readonly perMessageDeflate?: boolean }) => WsServer;
}

export const ws: Library = createRequire(import.meta.url)('ws') as Library;

const OPTIONS: SocketOptions = {
  maxPayload: 100 * 1024 * 1024,
  skipUTF8Validation: false,
  allowSynchronousEvents: true,
};

/** A WebSocket over a stream whose handshake is done. ws begins with a server's; only its masking differs for clients. */
export function webSocketOver(stream: Duplex, side: 'client' | 'server'): WsSocket {
  const socket = new ws.WebSocket(null, undefined, { autoPong: true, closeTimeout: 5000 });
  if (side === 'client') Object.assign(socket, { _isServer: false });
  socket.setSocket(stream, Buffer.alloc(0), OPTIONS);
  return socket;
}

/** Sends back what comes. */
export function echo(socket: WsSocket): void {
  socket.on('message', (message: Buffer, isBinary: boolean) => {
    socket.send(isBinary ? message : message.toString());
  });
  socket.on('error', () => undefined);
}
