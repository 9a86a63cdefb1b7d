// Stands between Fairlead and an endpoint, and passes the endpoint's bytes on one at a time: each is a read of its own.
// Thread: main.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';

/** Of each response so many bytes come a millisecond apart, so that none of their reads can merge; then as fast as turns go. */
const APART_BYTES = 512;

export class DribbleRelay {
  readonly #server: Server;
  readonly #endpointPort: number;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, endpointPort: number) {
    this.#server = server;
    this.#endpointPort = endpointPort;
  }

  /** Listens on a port of loopback that the system chooses, for connections to `endpointPort`. */
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

  /** Takes no more connections, and cuts those that are open. */
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
    // A reset on one side is a reset on the other: whether a response was cut or ended is what the cases are about.
    endpoint.on('error', () => proxy.resetAndDestroy());
    proxy.on('error', () => endpoint.resetAndDestroy());
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

/** Ends `to` where `from` ends; an error ends both by the handlers above. */
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
    // The socket's error handler has done what is to be done.
  }
}
