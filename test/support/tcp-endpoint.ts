// TCP endpoints for tests: an echo server with a name, and a client that talks to it. Thread: main.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import { patientMs } from './patience.ts';

export interface TcpEndpoint {
  readonly port: number;
  readonly sockets: Set<Socket>;
  /** Connections accepted so far. */
  accepted: number;
  /** Serves the connections from now on. */
  serve: (socket: Socket) => void;
  /** Stops listening and resets all connections. */
  kill(): Promise<void>;
  /** Listens again, on the same port. */
  restart(): Promise<void>;
}

/** Starts a server that echoes, after its name and a line feed. */
export async function startTcpEndpoint(t: TestContext, name = ''): Promise<TcpEndpoint> {
  const sockets = new Set<Socket>();
  let server: Server;
  const port = await freePort();
  const listen = async (): Promise<void> => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      endpoint.accepted += 1;
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      endpoint.serve(socket);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const endpoint: TcpEndpoint = {
    get port() {
      return port;
    },
    sockets,
    accepted: 0,
    serve: (socket) => {
      if (name !== '') socket.write(`${name}\n`);
      socket.pipe(socket);
    },
    async kill() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    restart: listen,
  };
  await listen();
  t.after(() => (server.listening ? endpoint.kill() : undefined));
  return endpoint;
}

export interface TcpClient {
  readonly socket: Socket;
  /** Everything received so far. */
  text(): string;
  /** Resolves once the text matches. */
  received(pattern: RegExp): Promise<string>;
  /** Resolves when the connection is closed: 'end' in order, 'reset' otherwise. */
  readonly closed: Promise<'end' | 'reset'>;
}

/** Connects to a port, or takes a TLS socket, and collects what it receives. */
export function tcpClient(target: number | Socket): TcpClient {
  const socket =
    typeof target === 'number' ? connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }) : target;
  let text = '';
  let hasFailed = false;
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    wake();
  });
  socket.on('error', () => {
    hasFailed = true;
  });
  socket.on('end', () => socket.end());
  const closed = once(socket, 'close').then(
    () => {
      wake();
      return hasFailed ? ('reset' as const) : ('end' as const);
    },
    () => 'reset' as const,
  );
  const received = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not received: ${pattern}, but ${JSON.stringify(text)}`)),
        patientMs(5000),
      );
      const check = (): void => {
        if (!pattern.test(text) && !socket.destroyed) return;
        clearTimeout(timer);
        waiters.delete(check);
        if (pattern.test(text)) resolve(text);
        else reject(new Error(`closed before ${pattern}, after ${JSON.stringify(text)}`));
      };
      waiters.add(check);
      check();
    });
  return { socket, text: () => text, received, closed };
}
