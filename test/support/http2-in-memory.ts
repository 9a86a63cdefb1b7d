// A server session of node:http2 over a stream in memory: what nghttp2 makes of the bytes of a client. Thread: main.

import http2, { type ServerHttp2Session } from 'node:http2';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CONNECTION_PREFACE } from '../../proxy/http2/frame-format.ts';
import { FLAG, FRAME, frame } from './http2-frames.ts';

export interface NodeReading {
  /** Fields of the requests by stream, names and values in turn, pseudo-header fields first. */
  readonly requests: ReadonlyMap<number, readonly string[]>;
  /** The code of GOAWAY; -1 where there was none. */
  readonly goaway: number;
}

/** To be the last frame of each input: its acknowledgement shows that everything before it was read. */
export const LAST_PING: Buffer = frame(FRAME.ping, 0, 0, Buffer.from('the end.'));

class Pipe extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {
    // Bytes are pushed as they come.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }
}

/** Reads the frames of a client after its preface. @param turns of the event loop at most */
export async function readWithNode(frames: Uint8Array, turns: number): Promise<NodeReading> {
  const pipe = new Pipe();
  const requests = new Map<number, readonly string[]>();
  const session = http2.performServerHandshake(pipe, {
    settings: { maxConcurrentStreams: 1000, enablePush: false },
    maxHeaderListPairs: 1000,
    maxOutstandingPings: 1000,
  });
  session.on('error', () => undefined);
  session.on('stream', (stream, _headers, _flags, raw) => {
    stream.on('error', () => undefined);
    stream.resume();
    requests.set(stream.id!, raw as unknown as readonly string[]);
  });
  pipe.on('error', () => undefined);
  pipe.push(Buffer.concat([CONNECTION_PREFACE, frames]));
  await untilRead(session, pipe, turns);
  const goaway = framesOf(pipe.written).find(({ type }) => type === FRAME.goaway);
  session.destroy();
  pipe.destroy();
  return { requests, goaway: goaway === undefined ? -1 : goaway.payload.readUInt32BE(4) };
}

async function untilRead(session: ServerHttp2Session, pipe: Pipe, turns: number): Promise<void> {
  for (let turn = 0; turn < turns && !session.destroyed; turn += 1) {
    await nextTurn();
    const isRead = ({ type, flags, payload }: Written): boolean =>
      type === FRAME.ping && (flags & FLAG.ack) !== 0 && payload.equals(LAST_PING.subarray(9));
    if (framesOf(pipe.written).some(isRead)) return;
  }
}

interface Written {
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

function framesOf(written: readonly Buffer[]): Written[] {
  const bytes = Buffer.concat(written);
  const frames: Written[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return frames;
}
