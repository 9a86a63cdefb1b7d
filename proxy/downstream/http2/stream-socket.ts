// A stream of an extended CONNECT (RFC 8441) in the form of the socket of an HTTP/1.1 Upgrade, for the tunnel: heads and
// bodies that the tunnel writes become HEADERS and DATA, and DATA of the client can be read. Thread: worker.

import { Duplex } from 'node:stream';
import { randomBytes } from 'node:crypto';
import type { ClientEvents, ClientGone, ClientSide, ExchangeStarter } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import { FieldKind } from '../../http1/field-kind.ts';
import { HeadScanner, Scan } from '../../http1/head-scanner.ts';
import { FIELD_STRIDE, MessageHead, Method } from '../../http1/message-head.ts';
import { ResponseReader, type ResponseSink } from '../../upstream/response-reader.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { SocketUpgrade } from '../../wire/socket-upgrade.ts';
import { NO_EXCHANGE } from '../downstream-context.ts';

/** The stream of a tunnel. */
export interface TunnelSide extends ClientSide {
  /** From here on each side ends by itself. */
  openTunnel(): void;
  releaseBody(): void;
}

type Done = (error?: Error | null) => void;

/** Bytes that are buffered for the tunnel before the client is held back. */
const BUFFER_BYTES = 65_536;
const SWITCHING = Buffer.from('HTTP/1.1 101 ', 'latin1');
/** Fields of the handshake of HTTP/1.1, which HTTP/2 doesn't have (RFC 8441 section 5). */
const NOT_SENT: ReadonlySet<string> = new Set(['connection', 'upgrade', 'sec-websocket-accept']);

const KEY = 'sec-websocket-key';
const KEY_BYTES = 16;
const NO_BYTES = Buffer.alloc(0);

const scanner = new HeadScanner();

/**
 * Begins the exchange of an extended CONNECT, whose head is that of the GET of HTTP/1.1. The key of that handshake is ours:
 * it proves to a client that its peer speaks WebSocket, which HTTP/2 negotiates by SETTINGS (RFC 8441 section 5).
 * @param receivedMs as in ExchangeStarter.begin
 * @returns the receiver of the stream's events
 */
export function beginUpgrade(
  starter: ExchangeStarter,
  side: TunnelSide,
  head: ScannedRequestHead,
  protocol: string,
  receivedMs: number,
): ClientEvents {
  // Routes, policies and logs see the request that HTTP/1.1 would have.
  addLine(head.message, FieldKind.UPGRADE, 'upgrade', protocol);
  if (head.field(KEY) === undefined) {
    addLine(head.message, FieldKind.OTHER, KEY, randomBytes(KEY_BYTES).toString('base64'));
  }
  head.forget();
  const socket = new StreamSocket(side);
  socket.exchange = starter.begin(side, head, new SocketUpgrade(protocol, NO_BYTES, socket, true), receivedMs);
  return socket;
}

/** Adds a line after the others. */
function addLine(message: MessageHead, kind: FieldKind, name: string, value: string): void {
  const start = message.offsets[message.fieldCount * FIELD_STRIDE]!;
  const valueStart = start + name.length + 2;
  const valueEnd = valueStart + value.length;
  message.addField(kind, start, start + name.length, valueStart, valueEnd);
  message.offsets[message.fieldCount * FIELD_STRIDE] = valueEnd + 2;
  message.text = `${message.text.slice(0, start)}${name}: ${value}\r\n\r\n`;
}

class StreamSocket extends Duplex implements ClientEvents, ResponseSink {
  /** The exchange, until the tunnel is open. */
  exchange: ClientEvents = NO_EXCHANGE;
  readonly #side: TunnelSide;
  /** The first bytes of an answer that isn't complete enough to be recognised. */
  #head: Buffer | null = Buffer.alloc(0);
  /** Reads an answer other than 101; null where bytes are the tunnel's. */
  #refusal: ResponseReader | null = null;
  #waiting: Done | null = null;
  #hasRoom = true;
  #isEnded = false;
  /** The stream is closed, and may serve another request. */
  #isClosed = false;

  constructor(side: TunnelSide) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES });
    this.#side = side;
    this.on('error', ignore);
  }

  // ---- the tunnel reads and writes

  override _read(): void {
    // The head of the answer comes first: bytes that the client sends before it wait in the stream's window.
    if (this.#head === null) this.#side.resumeBody();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#head !== null) this.#answer(Buffer.concat([this.#head, chunk]));
    else this.#pass(chunk);
    if (this.#hasRoom || this.destroyed) done();
    else this.#waiting = done;
  }

  override _final(done: Done): void {
    if (this.#refusal === null) this.#end(null);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#isClosed && this.#isEnded) this.#side.releaseBody();
    else if (!this.#isClosed) this.#side.cut();
    this.#isEnded = true;
    this.#proceed();
    done(error);
  }

  /** Recognises the answer: a switch of protocols, or a response. */
  #answer(bytes: Buffer): void {
    this.#head = bytes;
    if (bytes.length < SWITCHING.length) return;
    if (bytes.compare(SWITCHING, 0, SWITCHING.length, 0, SWITCHING.length) !== 0) {
      this.#head = null;
      this.#refusal = new ResponseReader(scanner, this);
      this.#refusal.expect(Method.GET);
      this.#refusal.feed(bytes, 0, bytes.length);
      return;
    }
    const message = new MessageHead();
    if (scanner.scanResponse(message, bytes, 0, bytes.length) !== Scan.COMPLETE) return;
    this.#head = null;
    this.#switch(message);
    if (message.bodyStart < bytes.length) this.#pass(bytes.subarray(message.bodyStart));
    this.#side.resumeBody();
  }

  /** 101 is 200 in HTTP/2 (RFC 8441 section 5). */
  #switch(message: MessageHead): void {
    const all = message.fieldList(0);
    const fields = all.filter((_, at) => !NOT_SENT.has(all[at & ~1]!.toLowerCase()));
    this.#side.openTunnel();
    const read = { field: (name: string) => message.field(name), endToEndFields: () => fields };
    this.#side.sendHead({ status: 200, reason: '', bodyLength: 0, hasLength: false, ...read }, []);
  }

  #pass(bytes: Buffer): void {
    if (this.#refusal !== null) this.#refusal.feed(bytes, 0, bytes.length);
    else if (!this.#side.sendData(bytes)) this.#hasRoom = false;
  }

  #end(trailers: FieldList | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#side.sendEnd(trailers);
  }

  /** The client takes more. */
  #proceed(): void {
    this.#hasRoom = true;
    const done = this.#waiting;
    this.#waiting = null;
    done?.();
  }

  // ---- ResponseSink: an answer other than 101

  onInterimHead(): void {
    // The tunnel relays none.
  }

  onFinalHead(): void {
    this.#side.sendHead(this.#refusal!.head, []);
  }

  onBody(bytes: Buffer, start: number, end: number): boolean {
    if (!this.#side.sendData(bytes.subarray(start, end))) this.#hasRoom = false;
    return true;
  }

  onComplete(trailers: FieldList | null): void {
    this.#end(trailers);
  }

  onFault(): void {
    this.destroy();
  }

  onExtraBytes(): void {
    this.destroy();
  }

  // ---- ClientEvents: the stream of the client

  onBodyData(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk);
    if (!this.push(bytes)) this.#side.pauseBody();
  }

  onBodyEnd(): void {
    this.push(null);
  }

  onClientDrain(): void {
    this.#proceed();
  }

  /** The end of a tunnel is its own to report, once it has taken what is buffered. */
  onResponseFlushed(): void {
    this.#isClosed = true;
    // A local reply.
    if (this.#head !== null) this.exchange.onResponseFlushed();
    if (this.#head !== null || this.#refusal !== null) this.destroy();
  }

  onClientHalfClosed(): void {
    // END_STREAM ends what the tunnel reads.
  }

  /** An open tunnel is ended by 'close'. */
  onClientGone(why: ClientGone): void {
    this.#isClosed = true;
    if (this.#head !== null) this.exchange.onClientGone(why);
    this.destroy(new Error(`client ${why}`));
  }
}

function ignore(): void {}
