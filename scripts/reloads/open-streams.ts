// Event streams and WebSockets that must survive every reload: each must keep receiving data. Thread: main.

import { get } from 'node:http';
import { connect } from 'node:net';

/** Events arrive ten times a second; a stream without data for this long, in ms, counts as broken. */
const SILENCE_MS = 2_000;
const SAY_EVERY_MS = 100;
const HANDSHAKE =
  'GET /socket HTTP/1.1\r\nHost: reloads\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
/** A masked text frame that says "x" (RFC 6455 section 5.2). */
const FRAME = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]);

export interface OpenStream {
  readonly kind: 'events' | 'socket';
  /** Cause of its end; null while it is open. */
  ended: string | null;
  lastDataMs: number;
  bytes: number;
  close(): void;
}

/** Opens `count` streams of each kind and resolves when each has been answered. */
export async function openStreams(port: number, count: number): Promise<OpenStream[]> {
  const opening: Promise<OpenStream>[] = [];
  for (let index = 0; index < count; index++) opening.push(openEvents(port), openSocket(port));
  return Promise.all(opening);
}

/** Counts broken streams by cause; empty when all are open and receive data. */
export function brokenStreams(streams: readonly OpenStream[]): string[] {
  const nowMs = performance.now();
  return streams.flatMap(({ kind, ended, lastDataMs }) => {
    if (ended !== null) return [`${kind}: ${ended}`];
    return nowMs - lastDataMs > SILENCE_MS ? [`${kind}: silent`] : [];
  });
}

function openEvents(port: number): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/events', agent: false });
    const stream = newStream('events', () => request.destroy());
    request.on('error', (error) => {
      stream.ended ??= error.message;
      reject(error);
    });
    request.on('response', (response) => {
      if (response.statusCode !== 200) stream.ended = `status ${response.statusCode}`;
      response.on('error', (error) => (stream.ended ??= error.message));
      response.on('close', () => (stream.ended ??= 'closed'));
      response.on('data', (chunk: Buffer) => {
        receive(stream, chunk);
        resolve(stream);
      });
    });
  });
}

function openSocket(port: number): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(HANDSHAKE));
    const timer = setInterval(() => stream.bytes > 0 && socket.write(FRAME), SAY_EVERY_MS);
    const stream = newStream('socket', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      if (stream.bytes === 0 && !bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) stream.ended = 'not switched';
      receive(stream, bytes);
      resolve(stream);
    });
    socket.on('error', (error) => {
      stream.ended ??= error.message;
      reject(error);
    });
    socket.on('close', () => {
      clearInterval(timer);
      stream.ended ??= 'closed';
    });
  });
}

function newStream(kind: OpenStream['kind'], close: () => void): OpenStream {
  return { kind, ended: null, lastDataMs: performance.now(), bytes: 0, close };
}

function receive(stream: OpenStream, bytes: Buffer): void {
  stream.lastDataMs = performance.now();
  stream.bytes += bytes.length;
}
