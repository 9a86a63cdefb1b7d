// An HTTP/2 origin over TCP that a test drives frame by frame: sends what no library does. Thread: main.

import net, { type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { CONNECTION_PREFACE } from '../../proxy/http2/frame-format.ts';
import { FrameReader, type FrameSink } from '../../proxy/http2/frame-reader.ts';
import { FrameMemory, FrameWriter } from '../../proxy/http2/frame-writer.ts';
import { HpackDecoder } from '../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../proxy/http2/hpack-encoder.ts';

/** A request as an origin received it. */
export interface Http2Request {
  readonly connection: Http2OriginConnection;
  readonly stream: number;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[] | null;
  isEnded: boolean;
  /** Code of the RST_STREAM that it was ended with; -1 if none. */
  resetCode: number;
}

export class Http2OriginConnection implements FrameSink {
  readonly socket: Socket;
  readonly pings: string[] = [];
  readonly goaways: number[] = [];
  readonly windowUpdates: { readonly stream: number; readonly increment: number }[] = [];
  readonly requests: Http2Request[] = [];
  readonly #origin: Http2Origin;
  readonly #writer = new FrameWriter(new FrameMemory());
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HpackDecoder(4096, { listBytes: 65_536, fields: 200 });
  readonly #encoder = new HpackEncoder(0);
  #prefaceLeft = CONNECTION_PREFACE.length;

  constructor(origin: Http2Origin, socket: Socket) {
    this.#origin = origin;
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('close', () => origin.changed());
  }

  // ---- sending

  /** Adds frames and writes them. */
  write(add: (writer: FrameWriter) => void): void {
    add(this.#writer);
    const { length } = this.#writer;
    this.socket.write(Buffer.from(this.#writer.take().subarray(0, length)));
  }

  settings(...settings: readonly number[]): void {
    this.write((writer) => writer.addSettings(settings));
  }

  headers(stream: number, fields: readonly string[], isLast: boolean): void {
    const block = this.#encoder.encode(fields);
    this.write((writer) => writer.addHeaders(stream, isLast, block, 0, block.length));
  }

  data(stream: number, text: string, isLast: boolean): void {
    const bytes = Buffer.from(text, 'latin1');
    this.write((writer) => writer.addData(stream, isLast, bytes, 0, bytes.length));
  }

  // ---- FrameSink

  onDataStart(): void {}

  onData(stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.requestOf(stream).body += Buffer.from(bytes.subarray(start, end)).toString('latin1');
  }

  onDataEnd(stream: number, isEndStream: boolean): void {
    this.requestOf(stream).isEnded ||= isEndStream;
    this.#origin.changed();
  }

  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const fields: string[] = [];
    this.#decoder.decode(block, start, end, ({ name, value }) => fields.push(name, value));
    const known = this.requests.find((request) => request.stream === stream);
    if (known !== undefined) {
      known.trailers = fields;
      known.isEnded = isEndStream;
      return this.#origin.changed();
    }
    const request = { connection: this, stream, fields, body: '', trailers: null, isEnded: isEndStream, resetCode: -1 };
    this.requests.push(request);
    this.#origin.requests.push(request);
    this.#origin.onRequest(request);
    this.#origin.changed();
  }

  onReset(stream: number, code: number): void {
    this.requestOf(stream).resetCode = code;
    this.#origin.changed();
  }

  onSettings(): void {
    if (this.#origin.firstSettings !== null) this.write((writer) => writer.addSettingsAck());
  }

  onSettingsAck(): void {}

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    this.pings.push(isAck ? 'ack' : 'ping');
    if (!isAck && this.#origin.answersPings) this.write((writer) => writer.addPing(true, bytes, start));
    this.#origin.changed();
  }

  onGoaway(_lastStream: number, code: number): void {
    this.goaways.push(code);
    this.#origin.changed();
  }

  onWindowUpdate(stream: number, increment: number): void {
    this.windowUpdates.push({ stream, increment });
    this.#origin.changed();
  }

  onStreamError(): void {}

  onConnectionError(_code: number, reason: string): void {
    throw new Error(`the proxy broke HTTP/2: ${reason}`);
  }

  requestOf(stream: number): Http2Request {
    return this.requests.find((request) => request.stream === stream)!;
  }

  #read(bytes: Buffer): void {
    const skipped = Math.min(this.#prefaceLeft, bytes.length);
    this.#prefaceLeft -= skipped;
    this.#reader.feed(bytes, skipped, bytes.length);
  }
}

export class Http2Origin {
  readonly connections: Http2OriginConnection[] = [];
  readonly requests: Http2Request[] = [];
  /** Called for each request head. By default it is answered `200 ok`. */
  onRequest: (request: Http2Request) => void = answerOk;
  /** Sent when a connection is accepted. */
  firstSettings: readonly number[] | null = [];
  answersPings = true;
  readonly #server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
  readonly #watchers = new Set<() => void>();

  static async listen(): Promise<Http2Origin> {
    const origin = new Http2Origin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  changed(): void {
    for (const resolve of this.#watchers) resolve();
    this.#watchers.clear();
  }

  /** Resolves when `holds` is true, evaluated after each event. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  async request(index: number): Promise<Http2Request> {
    await this.until(() => this.requests.length > index);
    return this.requests[index]!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    const connection = new Http2OriginConnection(this, socket);
    this.connections.push(connection);
    if (this.firstSettings !== null) connection.settings(...this.firstSettings);
    this.changed();
  }
}

export function answerOk({ connection, stream }: Http2Request): void {
  connection.headers(stream, [':status', '200', 'content-length', '2'], false);
  connection.data(stream, 'ok', true);
}
