// The TCP heartbeat: good when the endpoint accepts a connection. Thread: main.

import type { Socket } from 'node:net';
import { resultOfError } from './check-errors.ts';
import { defineChecker, type HeartbeatResult, type RunCheck } from './checker.ts';
import { dial, isSelfConnected } from './dial.ts';

/** Connects and closes at once. Sends no byte and performs no TLS handshake. */
const connectOnce: RunCheck = (target, done) => {
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

export const tcp = defineChecker({
  name: 'tcp',
  options: () => ({}),
  compile: () => ({}),
  run: connectOnce,
  describe: () => 'TCP heartbeat',
  covers: (signal) => signal === 'connect',
});
