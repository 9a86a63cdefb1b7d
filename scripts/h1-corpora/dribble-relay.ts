// Relay between Fairlead and an endpoint that forwards the endpoint's bytes one at a time, so that each is a separate
// read. Thread: main.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';
import { resetSocket } from '../../net/reset-socket.ts';

/** Number of bytes of a response that are sent a millisecond apart, so that no reads merge; later ones follow per turn. */
const APART_BYTES = 512;

export class DribbleRelay {
  readonly #server: Server;
  readonly #endpointPort: number;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, endpointPort: number) {
    this.#server = server;
    this.#endpointPort = endpointPort;
  }

  /** Listens on a free loopback port for connections to `endpointPort`. */
  static async start(endpointPort: number): Promise<DribbleRelay> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const relay = new DribbleRelay(server, endpointPort);
    server.on('connection', (socket) => relay.#carry(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and destroys open connections. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(proxy: Socket): void {
    const endpoint = connect({ port: this.#endpointPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [proxy, endpoint]) {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    // A reset on one side becomes a reset on the other: the cases distinguish truncated from complete responses.
    endpoint.on('error', () => resetSocket(proxy));
    proxy.on('error', () => resetSocket(endpoint));
    endpoint.on('close', () => proxy.destroySoon());
    proxy.on('close', () => endpoint.destroy());
    let leftApart = APART_BYTES;
    proxy.on('data', (bytes) => {
      leftApart = APART_BYTES;
      endpoint.write(bytes);
    });
    proxy.on('end', () => endpoint.end());
    void dribble(endpoint, proxy, () => leftApart-- > 0);
  }
}

/** Ends `to` when `from` ends; on an error the handlers above end both. */
async function dribble(from: Socket, to: Socket, isApart: () => boolean): Promise<void> {
  try {
    for await (const bytes of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length && !to.destroyed; at += 1) {
        to.write(bytes.subarray(at, at + 1));
        await (isApart() ? after(1) : nextTurn());
      }
    }
    to.end();
  } catch {
    // The socket's error handler has cleaned up.
  }
}
