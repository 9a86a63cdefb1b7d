// A gRPC stream from an endpoint that sends as fast as it may, to a client that reads slowly. Thread: main.

import { setTimeout as sleep } from 'node:timers/promises';
import { EchoClient, GrpcEcho } from '../../test/support/grpc-echo.ts';

/** A message; the endpoint's method `server` sends its request as many times as that has bytes, at most 1 GiB. */
const MESSAGE_BYTES = 32_768;
/** After so many messages, 1 MiB, the reader rests. */
const MESSAGES_PER_REST = 32;
const REST_MS = 20;

export async function startGrpcStream(): Promise<GrpcEcho> {
  return GrpcEcho.listen();
}

export interface SlowRead {
  readonly port: number;
  /** A multiple of MESSAGE_BYTES. */
  readonly bytes: number;
  /** Once, after half of the bytes. */
  readonly pauseMs: number;
  readonly onMessage?: () => void;
}

/** @returns how many bytes came. @throws Error where the call fails, or a message has another size */
export async function readSlowly({ port, bytes, pauseMs, onMessage }: SlowRead): Promise<number> {
  const client = new EchoClient(port, null);
  const count = bytes / MESSAGE_BYTES;
  let messages = 0;
  try {
    await client.read(Buffer.alloc(MESSAGE_BYTES, 'x'), count, async ({ length }) => {
      if (length !== MESSAGE_BYTES) throw new Error(`a message of ${length} bytes`);
      messages += 1;
      onMessage?.();
      if (messages === Math.floor(count / 2)) await sleep(pauseMs);
      else if (messages % MESSAGES_PER_REST === 0) await sleep(REST_MS);
    });
  } finally {
    client.close();
  }
  return messages * MESSAGE_BYTES;
}
