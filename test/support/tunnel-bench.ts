// A node:http server whose Upgrade requests go through tunnels to a scripted origin, and raw clients. Thread: main.

import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttemptRequest, TunnelEnd, TunnelEvents, HeadChanges } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import { ENDPOINT_FIELD, type EndpointField } from '../../core/memory/lane-fields.ts';
import type { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { systemTimers, type Timers } from '../../core/timers.ts';
import { SocketUpgrade } from '../../proxy/wire/socket-upgrade.ts';
import { Http2Transport } from '../../proxy/upstream/http2/http2-transport.ts';
import type { TransportParts } from '../../proxy/upstream/transport-parts.ts';
import { UpgradeTunnels } from '../../proxy/upstream/tunnel/upgrade-tunnel.ts';
import { sharedParts } from './http1-parts.ts';
import { requestOrigin } from './request-origin.ts';
import { requestHead } from './request-head.ts';
import { ScriptedOrigin, send } from './scripted-origin.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from './snapshots.ts';

/** Records the events of one tunnel. */
export class RecordedTunnel implements TunnelEvents {
  readonly log: string[] = [];
  failure: Failure | null = null;
  /** The exchange's changes to the head of the response. */
  changes: HeadChanges | null = { inserted: [], removed: new Set() };
  end: TunnelEnd | null = null;
  handle!: { abort(): void };
  readonly opened: Promise<void>;
  readonly over: Promise<this>;
  /** Called at each event; may abort. */
  react: (event: string) => void = () => undefined;
  readonly #open: () => void;
  readonly #finish: (self: this) => void;

  constructor() {
    const opened = Promise.withResolvers<void>();
    const over = Promise.withResolvers<this>();
    this.opened = opened.promise;
    this.over = over.promise;
    this.#open = opened.resolve;
    this.#finish = over.resolve;
  }

  onLease(): void {
    this.#note('lease');
  }

  onTunnelHead(): HeadChanges | null {
    return this.changes;
  }

  onOpen(): void {
    this.#note('open');
    this.#open();
  }

  onRefused(status: number): void {
    this.#note(`refused ${status}`);
    this.#finish(this);
  }

  onFailure(failure: Failure): void {
    this.failure = failure;
    this.#note(`failure ${failure.kind} ${failure.wasSent ? 'sent' : 'unsent'}`);
    this.#finish(this);
  }

  onClosed(end: TunnelEnd): void {
    this.end = end;
    this.#note(`closed by ${end.by}`);
    this.#finish(this);
  }

  #note(event: string): void {
    this.log.push(event);
    this.react(event);
  }
}

/** A client of raw bytes. */
export class RawClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;

  constructor(port: number, allowHalfOpen: boolean) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.ended = new Promise((resolve) => {
      this.socket.once('end', resolve);
      this.socket.once('close', () => resolve());
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves when this text was received; rejects if the connection closes first. */
  async received(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.socket.destroyed || this.socket.readableEnded) throw new Error(`ended after ${this.text}`);
      await new Promise<void>((resolve) => {
        this.socket.once('data', () => resolve());
        this.socket.once('close', () => resolve());
        this.socket.once('end', () => resolve());
      });
    }
  }
}

export const HANDSHAKE =
  'GET /chat?x=1 HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n';

export const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n';

export interface TunnelBenchParts {
  readonly timers?: Timers;
  readonly endpoint?: Partial<EndpointSnapshot>;
  readonly upstream?: Partial<UpstreamSnapshot>;
  readonly request?: Partial<AttemptRequest>;
  readonly origin?: ScriptedOrigin;
  /** Whether clients keep their side open after ours has closed. */
  readonly clientsStayHalfOpen?: boolean;
  /** Called with each tunnel before it opens. */
  readonly prepare?: (tunnel: RecordedTunnel) => void;
}

export class TunnelBench {
  readonly origin: ScriptedOrigin;
  readonly tunnels: UpgradeTunnels;
  readonly opened: RecordedTunnel[] = [];
  readonly clientSockets: Duplex[] = [];
  /** Reported protocol faults. */
  readonly faults: string[] = [];
  readonly region: Region;
  readonly #parts: TunnelBenchParts;
  readonly #endpoint: EndpointSnapshot;
  readonly #upstream: UpstreamSnapshot;
  readonly #server = http.createServer();
  readonly #http2: Http2Transport;
  readonly #clients: RawClient[] = [];
  readonly #upgrades: { readonly message: IncomingMessage; readonly upgrade: SocketUpgrade }[] = [];

  private constructor(origin: ScriptedOrigin, parts: TunnelBenchParts) {
    this.origin = origin;
    this.#parts = parts;
    this.#endpoint = endpointSnapshot(0, { port: origin.port, ...parts.endpoint });
    this.#upstream = upstreamSnapshot({ endpoints: [this.#endpoint], ...parts.upstream });
    this.region = regionFor(snapshot({ upstreams: [this.#upstream] }));
    const shared: TransportParts = {
      region: this.region,
      worker: 0,
      timers: parts.timers ?? systemTimers,
      onIdleDeath: () => undefined,
      onFault: (endpoint, kind, reason) => this.faults.push(`${endpoint.name}: ${kind}: ${reason}`),
    };
    this.#http2 = new Http2Transport({ ...shared, ...sharedParts() });
    this.#http2.update([this.#upstream]);
    this.tunnels = new UpgradeTunnels(shared, this.#http2);
    this.#server.on('upgrade', (message, socket, firstBytes) => this.#upgrade(message, socket, firstBytes));
  }

  static async open(parts: TunnelBenchParts = {}): Promise<TunnelBench> {
    const bench = new TunnelBench(parts.origin ?? (await ScriptedOrigin.listen()), parts);
    bench.#server.listen(0, '127.0.0.1');
    await once(bench.#server, 'listening');
    return bench;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A client that has sent the handshake. */
  client(handshake = HANDSHAKE): RawClient {
    const client = new RawClient(this.port, this.#parts.clientsStayHalfOpen ?? false);
    this.#clients.push(client);
    client.send(handshake);
    return client;
  }

  /** The tunnel with this number, from 0. */
  async tunnel(index = 0): Promise<RecordedTunnel> {
    while (this.opened.length <= index) await once(this.#server, 'upgrade');
    return this.opened[index]!;
  }

  lane(field: EndpointField): number {
    return this.region.doubles[this.region.endpointLane(0, 0) + ENDPOINT_FIELD[field]]!;
  }

  /** Resolves when all connections to the endpoint are closed. */
  async emptied(): Promise<void> {
    while (this.lane('connectionsOpen') > 0) await nextTurn();
  }

  async close(): Promise<void> {
    this.tunnels.closeAll();
    for (const { socket } of this.#clients) socket.destroy();
    for (const socket of this.clientSockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await this.#http2.close();
    await this.origin.close();
  }

  /** Opens another tunnel for the client with this number, as an exchange does after a failure. */
  retry(index: number): void {
    const { message, upgrade } = this.#upgrades[index]!;
    this.#openFor(message, upgrade);
  }

  #upgrade(message: IncomingMessage, socket: Duplex, firstBytes: Buffer): void {
    socket.on('error', () => undefined);
    this.clientSockets.push(socket);
    const upgrade = new SocketUpgrade(message.headers.upgrade ?? '', firstBytes, socket);
    this.#upgrades.push({ message, upgrade });
    this.#openFor(message, upgrade);
  }

  #openFor(message: IncomingMessage, upgrade: SocketUpgrade): void {
    const tunnel = new RecordedTunnel();
    this.opened.push(tunnel);
    this.#parts.prepare?.(tunnel);
    tunnel.handle = this.tunnels.open(upgrade, this.#requestOf(message), tunnel);
  }

  #requestOf(message: IncomingMessage): AttemptRequest {
    const hops = new Set(['connection', 'upgrade', 'host', 'content-length', 'x-hop']);
    const fields = message.rawHeaders.filter((_, at) => !hops.has(message.rawHeaders[at & ~1]!.toLowerCase()));
    const length = Number(message.headers['content-length'] ?? 0);
    return {
      head: requestHead({ method: message.method!, target: message.url!, bodyLength: length, fields }),
      endpoint: this.#endpoint,
      upstream: this.#upstream,
      hostField: 'a.test',
      insertedFields: [],
      removedFields: new Set<string>(),
      mustUseFresh: false,
      origin: requestOrigin(),
      ...this.#parts.request,
    };
  }
}

/** Runs `body` with a bench, and closes the bench in any case. */
export async function withTunnels(parts: TunnelBenchParts, body: (bench: TunnelBench) => Promise<void>): Promise<void> {
  const bench = await TunnelBench.open(parts);
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
}

/** Plays the protocol switch and returns an open tunnel with a raw socket at each end. */
export async function openTunnel(bench: TunnelBench) {
  bench.origin.play(send(SWITCH));
  const client = bench.client();
  await client.received('\r\n\r\n');
  const tunnel = await bench.tunnel();
  await tunnel.opened;
  const { socket: endpoint, gone } = await bench.origin.connection(0);
  return { client, tunnel, endpoint, endpointGone: gone };
}
