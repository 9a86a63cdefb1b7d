// HTTP/1.1 over node:http: its settings, all explicit, and its events as turns of a connection. Thread: worker.

import { type IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { SocketUpgrade } from '../../wire/socket-upgrade.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { NodeHttp1ClientSide } from './node-http1-client-side.ts';
import { NodeHttp1Connection } from './node-http1-connection.ts';
import { trustedOnlyFor } from '../trusted-only-fields.ts';
import { readNodeHttp1Head } from './node-http1-head.ts';
import { LentStream } from './lent-stream.ts';
import { fromUnknownLine, isParseError, type ParseError, whyUnparsable } from './node-http1-parse-error.ts';
import type { NodeHttp1Turn } from './node-http1-turns.ts';
import { joinedField } from '../../../core/head.ts';

/** Response bytes buffered for a slow client before the endpoint is paused. */
const HIGH_WATER_BYTES = 65_536;

/**
 * Protocols whose Upgrade is ignored, in lower case. h2c behind a proxy that only relays bytes would carry requests past
 * every rule (h2c smuggling). A server may always ignore an Upgrade (RFC 9110 section 7.8).
 */
const IGNORED_PROTOCOLS = /(?:^|,)[ \t]*(?:h2c|http\/|tls\/)/i;

/** Takes over a connection whose bytes have been put back. */
export type ServeByEngine = (client: ClientSocket) => void;

/** Serves the HTTP/1.1 connections of one listener with one set of settings. Listens on nothing itself. */
export class NodeHttp1Server {
  readonly #context: DownstreamContext;
  readonly #listener: ListenerSnapshot;
  readonly #server: Server;
  readonly #connections = new WeakMap<Duplex, NodeHttp1Connection>();
  readonly #lent = new WeakMap<Duplex, LentStream>();
  readonly #serveByEngine: ServeByEngine | null;

  /** @param serveByEngine for methods that node:http doesn't know; null where there is no engine */
  constructor(context: DownstreamContext, listener: ListenerSnapshot, serveByEngine: ServeByEngine | null = null) {
    this.#context = context;
    this.#listener = listener;
    this.#serveByEngine = serveByEngine;
    this.#server = new Server(settingsOf(listener, (request) => this.#mayUpgrade(request)));
    // One more than allowed: node:http drops fields beyond this silently, and a dropped field may be the one that matters.
    this.#server.maxHeadersCount = listener.limits.headFields + 1;
    this.#server.maxRequestsPerSocket = 0;
    this.#server.timeout = 0;
    // Requests of a half-closed client are answered. (Missing in the types; node:net reads the field at each 'end'.)
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#listenTo(this.#server);
  }

  /** Takes over an accepted connection; bytes that were read must have been put back (socket.unshift). */
  serve(client: ClientSocket): NodeHttp1Connection {
    if (this.#serveByEngine !== null) this.#lent.set(client.stream, new LentStream(client.stream));
    const connection = new NodeHttp1Connection(this.#context, client, this.#listener);
    this.#connections.set(client.stream, connection);
    this.#server.emit('connection', client.stream);
    this.#lent.get(client.stream)?.watch();
    return connection;
  }

  #listenTo(server: Server): void {
    server.on('request', (request, response) => this.#onRequest(request, response));
    // The exchange decides when 100 is sent; readNodeHttp1Head decides on 417.
    server.on('checkContinue', (request, response) => this.#onRequest(request, response));
    server.on('checkExpectation', (request, response) => this.#onRequest(request, response));
    server.on('upgrade', (request, _socket, firstBytes) => this.#onUpgrade(request, firstBytes));
    server.on('connect', (request, _socket, firstBytes) => this.#onUpgrade(request, firstBytes));
    server.on('clientError', (error: ParseError, socket) => this.#onClientError(error, socket));
    // The connection listens to its socket; without a listener here node:http would close it.
    server.on('timeout', () => undefined);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket)!;
    const turn = this.#turnOf(connection, request, response, null);
    // Node loses requests that are pipelined behind an ignored Upgrade.
    if (request.headers.upgrade !== undefined) turn.side!.closeAfter();
    connection.enqueue(turn);
  }

  /** node:http has released the socket: the response and later requests on the connection must be arranged here. */
  #onUpgrade(request: IncomingMessage, firstBytes: Buffer): void {
    const connection = this.#connections.get(request.socket)!;
    const { stream } = connection.client;
    const response = new ServerResponse(request);
    response.assignSocket(stream);
    const turn = this.#turnOf(connection, request, response, firstBytes);
    const drained = (): void => turn.side!.drained();
    stream.on('drain', drained);
    response.once('finish', () => {
      stream.off('drain', drained);
      if (response.socket !== null) response.detachSocket(stream);
    });
    connection.enqueue(turn);
  }

  #turnOf(
    connection: NodeHttp1Connection,
    request: IncomingMessage,
    response: ServerResponse,
    firstBytes: Buffer | null,
  ): NodeHttp1Turn {
    const { starter } = this.#context;
    this.#lent.get(request.socket)?.noteRequest(request);
    const head = readNodeHttp1Head(
      request,
      this.#listener.limits,
      this.#listener.underscoreFields,
      trustedOnlyFor(this.#listener, connection.client.facts),
    );
    if (typeof head === 'string') {
      const side = new NodeHttp1ClientSide(connection, request, response, null);
      const begin = (): void => side.refuse(starter.refuse(connection.client.facts, head));
      return { side, request, begin, goOn: null, isUpgrade: false };
    }
    const side = new NodeHttp1ClientSide(connection, request, response, head);
    const upgrade = firstBytes === null ? null : this.#upgradeOf(connection, request, firstBytes);
    const begin = (receivedMs: number): void => side.begin(starter, upgrade, receivedMs);
    const goOn = firstBytes === null ? null : (): void => this.#takeBack(connection, firstBytes);
    return { side, request, begin, goOn, isUpgrade: upgrade !== null };
  }

  #upgradeOf(connection: NodeHttp1Connection, request: IncomingMessage, firstBytes: Buffer): SocketUpgrade | null {
    const protocols = joinedField(request.rawHeaders, 'upgrade') ?? '';
    if (request.httpVersion !== '1.1' || IGNORED_PROTOCOLS.test(protocols)) return null;
    return new SocketUpgrade(protocols, firstBytes, connection.client.stream);
  }

  /** Continues with HTTP/1.1 after an Upgrade that was ignored. */
  #takeBack(connection: NodeHttp1Connection, firstBytes: Buffer): void {
    const { stream } = connection.client;
    if (firstBytes.length > 0) stream.unshift(firstBytes);
    this.#server.emit('connection', stream);
  }

  /** Only for a request without body that is alone on its connection; others are served as if without Upgrade. */
  #mayUpgrade(request: IncomingMessage): boolean {
    const { headers } = request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
    return !hasBody && this.#connections.get(request.socket)!.isFree;
  }

  /** Has the engine serve the connection from the bytes on, after the requests before them. */
  #giveBack(connection: NodeHttp1Connection, lent: LentStream, bytes: Buffer): void {
    lent.holdFrom(bytes);
    connection.endWith(() => {
      if (!connection.release()) return;
      lent.takeBack();
      this.#serveByEngine!(connection.client);
    });
  }

  #onClientError(error: ParseError, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || !isParseError(error)) return;
    const lent = this.#lent.get(socket);
    const rest = lent === undefined ? null : fromUnknownLine(error, lent);
    if (rest !== null) return this.#giveBack(connection, lent!, rest);
    this.#context.log.debug(
      { code: error.code, peer: connection.client.facts.peerAddress },
      'request malformed: node:http could not parse it',
    );
    connection.unparsable(whyUnparsable(error));
  }
}

/** Every setting is explicit: Node's defaults differ between versions. */
function settingsOf(listener: ListenerSnapshot, mayUpgrade: (request: IncomingMessage) => boolean) {
  return {
    maxHeaderSize: listener.limits.headBytes,
    insecureHTTPParser: false,
    // Our own timeouts are finer; node:http checks its own only for sockets that it listens on itself.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    keepAliveTimeoutBuffer: 0,
    connectionsCheckingInterval: 2 ** 30,
    // readNodeHttp1Head checks Host, and starter.refuse answers.
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    rejectNonStandardBodyWrites: false,
    noDelay: true,
    keepAlive: false,
    highWaterMark: HIGH_WATER_BYTES,
    shouldUpgradeCallback: mayUpgrade,
  };
}
