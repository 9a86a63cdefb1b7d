// HTTP/2 frames as bytes, for clients that send what no library does: literal fields, no Huffman coding. Thread: main.

import { RawClient, within } from './raw-client.ts';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Dropped for DATA, which may be large. */
  readonly payload: Buffer;
  readonly length: number;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** HPACK string literal without Huffman coding. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const size: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...size, rest]), bytes]);
}

/** Field section of literals without indexing (RFC 7541 section 6.2.2). @param fields names and values in turn */
export function fieldSection(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    parts.push(Buffer.from([0]), literal(fields[at]!), literal(fields[at + 1]!));
  }
  return Buffer.concat(parts);
}

/** HEADERS of a request. */
export function requestFrame(stream: number, fields: readonly string[], isLast: boolean, method = 'GET'): Buffer {
  const pseudo = [':method', method, ':scheme', 'https', ':authority', 'a.test', ':path', `/${stream}`];
  const flags = FLAG.endHeaders | (isLast ? FLAG.endStream : 0);
  return frame(FRAME.headers, flags, stream, fieldSection([...pseudo, ...fields]));
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A raw HTTP/2 client over TLS. Acknowledges settings and pings; everything else is up to the test. */
export class RawHttp2Client {
  readonly frames: Frame[] = [];
  /** Called for each frame. */
  onFrame: (frame: Frame) => void = () => undefined;
  /** How the connection has ended; '' while it is open. */
  ending = '';
  readonly #client: RawClient;
  #bytes = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  private constructor(client: RawClient) {
    this.#client = client;
    client.socket.on('data', (bytes: Buffer) => this.#read(bytes));
    client.socket.on('close', () => {
      this.ending = 'closed';
      this.#notify();
    });
  }

  /** @param windowBytes by which the window of the connection is enlarged */
  static async connect(port: number, windowBytes = 0x3fff_0000): Promise<RawHttp2Client> {
    const raw = await RawClient.connect({ port, isHeld: true, tls: { ALPNProtocols: ['h2'] } });
    const client = new RawHttp2Client(raw);
    raw.startReading();
    client.send(PREFACE, frame(FRAME.settings, 0, 0));
    if (windowBytes > 0) client.send(frame(FRAME.windowUpdate, 0, 0, uint32(windowBytes)));
    await client.until(() => client.has(FRAME.settings, 0), 'settings');
    return client;
  }

  /** Sends frames in one write. */
  send(...frames: readonly Buffer[]): void {
    this.#client.socket.write(Buffer.concat(frames));
  }

  /** Half-closes. */
  finish(): void {
    this.#client.finish();
  }

  destroy(): void {
    this.#client.destroy();
  }

  has(type: number, stream: number): boolean {
    return this.frames.some((received) => received.type === type && received.stream === stream);
  }

  /** Status of a response that nghttp2 has encoded: an entry of the static table, or a literal; 0 where there is none. */
  status(stream: number): number {
    const head = this.frames.find((received) => received.type === FRAME.headers && received.stream === stream);
    if (head === undefined) return 0;
    const first = head.payload.findIndex((byte) => byte < 0x20 || byte > 0x3f);
    const indexed = [200, 204, 206, 304, 400, 404, 500][head.payload[first]! - 0x88];
    return indexed ?? Number(head.payload.toString('latin1').match(/[1-5]\d\d/)?.[0] ?? 0);
  }

  /** Whether the stream has received END_STREAM. */
  hasEnded(stream: number): boolean {
    return this.frames.some((received) => received.stream === stream && (received.flags & FLAG.endStream) !== 0);
  }

  async untilClosed(): Promise<void> {
    while (this.ending === '') await within(new Promise<void>((resolve) => this.#wake.push(resolve)), 'the close');
  }

  async until(isTrue: () => boolean, what: string): Promise<void> {
    while (!isTrue()) {
      if (this.ending !== '') throw new Error(`the connection has ended instead of ${what}`);
      await within(new Promise<void>((resolve) => this.#wake.push(resolve)), what);
    }
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) break;
      const payload = Buffer.from(this.#bytes.subarray(9, 9 + length));
      this.#take({
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        stream: this.#bytes.readUInt32BE(5) & 0x7fff_ffff,
        payload,
        length,
      });
      this.#bytes = this.#bytes.subarray(9 + length);
    }
    this.#notify();
  }

  #take(received: Frame): void {
    if (received.type === FRAME.data) this.frames.push({ ...received, payload: Buffer.alloc(0) });
    else this.frames.push(received);
    const isRequest = (received.flags & FLAG.ack) === 0;
    if (received.type === FRAME.settings && isRequest) this.send(frame(FRAME.settings, FLAG.ack, 0));
    if (received.type === FRAME.ping && isRequest) this.send(frame(FRAME.ping, FLAG.ack, 0, received.payload));
    this.onFrame(received);
  }

  #notify(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}
