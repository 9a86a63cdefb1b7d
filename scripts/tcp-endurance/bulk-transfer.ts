// Bytes that are sent through a proxy to an endpoint that echoes, and compared when they return. Thread: main.

import { connect } from 'node:net';

/** A prime, so that a lost or doubled chunk of a usual size shifts the pattern. */
const PERIOD_BYTES = 65_521;
const CHUNK_BYTES = 65_536;

/** Two periods and a chunk: any chunk of the stream is a part of it. */
const PATTERN = Buffer.alloc(PERIOD_BYTES + CHUNK_BYTES);
for (let at = 0; at < PATTERN.length; at++) PATTERN[at] = ((at % PERIOD_BYTES) * 2_654_435_761) >>> 24;

/** Sends so many bytes, half-closes, and reads to the end. @returns the fault; null where every byte returned in order */
export function transfer(port: number, sizeBytes: number): Promise<string | null> {
  return new Promise((resolve) => {
    let sent = 0;
    let received = 0;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const done = (fault: string | null): void => {
      socket.destroy();
      resolve(fault);
    };
    const fill = (): void => {
      while (sent < sizeBytes) {
        const size = Math.min(CHUNK_BYTES, sizeBytes - sent);
        const from = sent % PERIOD_BYTES;
        sent += size;
        if (!socket.write(PATTERN.subarray(from, from + size))) return;
      }
      if (!socket.writableEnded) socket.end();
    };
    socket
      .on('connect', fill)
      .on('drain', fill)
      .on('data', (bytes: Buffer) => {
        if (!isNext(bytes, received)) done(`bytes after ${received} differ`);
        received += bytes.length;
      })
      .on('end', () => done(received === sizeBytes ? null : `${received} of ${sizeBytes} bytes returned`))
      .on('error', (error) => done(`${error.message} after ${received} bytes`));
  });
}

function isNext(bytes: Buffer, offset: number): boolean {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const part = bytes.subarray(at, at + CHUNK_BYTES);
    const from = (offset + at) % PERIOD_BYTES;
    if (PATTERN.compare(part, 0, part.length, from, from + part.length) !== 0) return false;
  }
  return true;
}
