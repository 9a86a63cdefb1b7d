// The TCP heartbeat: good when the endpoint accepts a connection. Thread: main.

import type { Socket } from 'node:net';
import { resultOfError } from './check-errors.ts';
import { dial, isSelfConnected } from './dial.ts';
import type { Checker, HeartbeatResult } from './heartbeat-contract.ts';

/** Connects, and closes at once. No byte is sent, and no TLS is spoken. */
export const tcpCheck: Checker = (target, done) => {
  let socket: Socket | null = null;
  let isOver = false;
  const end = (result: HeartbeatResult): void => {
    if (isOver) return;
    isOver = true;
    socket?.destroy();
    done(result);
  };
  try {
    socket = dial(target);
    socket.on('error', (error) => end(resultOfError(error)));
    socket.on('connect', () => end(resultOfConnection(socket!)));
  } catch (error) {
    end(resultOfError(error));
  }
  return {
    phase: () => 'connecting',
    cancel: () => {
      isOver = true;
      socket?.destroy();
    },
  };
};

function resultOfConnection(socket: Socket): HeartbeatResult {
  if (isSelfConnected(socket)) return { kind: 'fail', cause: 'connection refused' };
  return { kind: 'ok', cause: 'connected' };
}
