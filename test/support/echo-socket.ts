// A minimal WebSocket server (RFC 6455): answers the handshake and echoes every data frame. Thread: main.

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Step } from './scripted-origin.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE = 8;

/** Plays a server that echoes until it receives a close frame. */
export function echoWebSocket(): Step {
  return (socket, request) => {
    const key = request.values('sec-websocket-key')[0]!;
    const accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64');
    // The origin's own reader stops here: the following bytes aren't HTTP.
    socket.removeAllListeners('data');
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = echoFrames(socket, Buffer.concat([rest, bytes]));
    });
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  };
}

/** Echoes complete frames. @returns the beginning of an incomplete one */
function echoFrames(socket: Socket, bytes: Buffer): Buffer<ArrayBuffer> {
  let at = 0;
  for (;;) {
    const frame = readFrame(bytes, at);
    if (frame === null) return Buffer.from(bytes.subarray(at));
    at = frame.end;
    socket.write(frame.echo);
    if (frame.opcode === CLOSE) socket.end();
  }
}

/** Reads a masked frame of less than 64 KiB. */
function readFrame(bytes: Buffer, at: number): { end: number; opcode: number; echo: Buffer } | null {
  if (bytes.length < at + 4) return null;
  const short = bytes[at + 1]! & 0x7f;
  const isLong = short === 126;
  const size = isLong ? bytes.readUInt16BE(at + 2) : short;
  const maskAt = at + (isLong ? 4 : 2);
  const end = maskAt + 4 + size;
  if (bytes.length < end) return null;
  const payload = Buffer.from(bytes.subarray(maskAt + 4, end));
  for (let index = 0; index < size; index += 1) payload[index]! ^= bytes[maskAt + (index & 3)]!;
  const head = Buffer.from(bytes.subarray(at, maskAt));
  head[1]! &= 0x7f;
  return { end, opcode: bytes[at]! & 15, echo: Buffer.concat([head, payload]) };
}
