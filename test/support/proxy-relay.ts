// A balancer for TCP in front of a listener: relays connections with a PROXY protocol header before the client's bytes, in
// pieces of any size. Thread: main.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface ProxyRelayOptions {
  /** Where the listener is. */
  readonly target: { readonly port: number; readonly host: string } | { readonly path: string };
  /** Bytes before those of each client. */
  readonly header: Uint8Array;
  /** `joined` sends the header with the client's first bytes, `bytewise` one byte of both in each packet. */
  readonly pieces: 'joined' | 'apart' | 'bytewise';
}

/** Starts a relay, and stops it after the test. @returns its port on loopback */
export async function startProxyRelay(t: TestContext, options: ProxyRelayOptions): Promise<number> {
  const server: Server = createServer((client) => relay(client, options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function relay(client: Socket, { target, header, pieces }: ProxyRelayOptions): void {
  const listener = connect(target);
  listener.setNoDelay(true);
  for (const [from, to] of [
    [client, listener],
    [listener, client],
  ] as const) {
    from.on('error', () => undefined).on('close', () => to.destroy());
  }
  listener.pipe(client);
  if (pieces === 'apart') {
    listener.write(header);
    client.pipe(listener);
    return;
  }
  client.once('data', (first: Buffer) => {
    client.pause();
    const bytes = Buffer.concat([header, first]);
    if (pieces === 'joined') listener.write(bytes);
    void (pieces === 'bytewise' ? writeBytewise(listener, bytes) : Promise.resolve()).then(() => client.pipe(listener));
  });
}

async function writeBytewise(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
