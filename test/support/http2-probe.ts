// A raw HTTP/2 connection for conformance cases: frames are sent as they are, and received frames are read in order, one
// event after the other. Nothing is acknowledged but SETTINGS. Thread: main.

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { FLAG, FRAME, frame, type Frame, PREFACE, uint32 } from './http2-frames.ts';
import { patientMs } from './patience.ts';

export interface Http2Address {
  readonly port: number;
  readonly isTls: boolean;
}

/** A received frame, the end of the connection, or nothing in time. */
export type Http2Event = Frame | 'closed' | 'timeout';

const HANDSHAKE_LIMIT_MS = patientMs(10_000);
const FRAME_HEADER_BYTES = 9;

export class Http2Probe {
  readonly #socket: Socket;
  readonly #events: Http2Event[] = [];
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #isClosed = false;
  /** SETTINGS of the server, by number. */
  readonly settings: Map<number, number> = new Map<number, number>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#push('closed');
    });
    // The server has half-closed: nothing more can be received.
    socket.on('end', () => socket.destroy());
  }

  /** Connects, without a preface. */
  static async open({ port, isTls }: Http2Address): Promise<Http2Probe> {
    const host = '127.0.0.1';
    const socket = isTls
      ? connectTls({ port, host, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connectTcp({ port, host });
    const probe = new Http2Probe(socket);
    await new Promise<void>((resolve) => {
      socket.once(isTls ? 'secureConnect' : 'connect', resolve);
      socket.once('close', resolve);
    });
    socket.setNoDelay();
    return probe;
  }

  /** Connects and exchanges SETTINGS. */
  static async handshake(address: Http2Address): Promise<Http2Probe> {
    const probe = await Http2Probe.open(address);
    probe.send(PREFACE, frame(FRAME.settings, 0, 0));
    let seen = 0;
    while (seen < 2) {
      const event = await probe.next(HANDSHAKE_LIMIT_MS);
      if (typeof event === 'string') throw new Error(`no HTTP/2 handshake: ${event}`);
      if (event.type === FRAME.settings) seen += 1;
    }
    return probe;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(frames));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends frames in one write, and waits while the server is slower. */
  async write(...frames: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.write(Buffer.concat(frames))) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  /** The next event; 'closed' again and again after the end. */
  async next(limitMs: number): Promise<Http2Event> {
    if (this.#events.length > 0) return this.#events.shift()!;
    if (this.#isClosed) return 'closed';
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#events.shift() ?? 'timeout';
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) return;
      this.#take({
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        stream: this.#bytes.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#bytes.subarray(FRAME_HEADER_BYTES, end),
        length: end - FRAME_HEADER_BYTES,
      });
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  #take(received: Frame): void {
    if (received.type === FRAME.settings && (received.flags & FLAG.ack) === 0) {
      const { payload } = received;
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        this.settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
      }
      this.send(frame(FRAME.settings, FLAG.ack, 0));
    }
    this.#push(received);
  }

  #push(event: Http2Event): void {
    this.#events.push(event);
    this.#wake();
  }
}

/** SETTINGS with values in order. @param pairs of number and value */
export function settingsFrame(...pairs: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [setting, value]] of pairs.entries()) {
    payload.writeUInt16BE(setting, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}

export function windowUpdateFrame(stream: number, increment: number): Buffer {
  return frame(FRAME.windowUpdate, 0, stream, uint32(increment));
}

export function resetFrame(stream: number, code: number): Buffer {
  return frame(FRAME.rstStream, 0, stream, uint32(code));
}

/** The error code of RST_STREAM or GOAWAY; -1 for other events. */
export function errorCodeOf(event: Http2Event): number {
  if (typeof event === 'string') return -1;
  if (event.type === FRAME.rstStream) return event.payload.readUInt32BE(0);
  return event.type === FRAME.goaway ? event.payload.readUInt32BE(4) : -1;
}
