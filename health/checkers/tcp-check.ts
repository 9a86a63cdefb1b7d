// The TCP heartbeat: good when the endpoint accepts a connection. Thread: main.

import { resultOfError } from './check-errors.ts';
import { defineChecker, type RunCheck } from './checker.ts';
import { connectHeartbeat } from './heartbeat-connection.ts';

/** Connects and closes at once. Sends no byte and performs no TLS handshake. */
const connectOnce: RunCheck = (target, done) => {
  const dialling = connectHeartbeat(target, [], (error, socket) => {
    socket?.destroy();
    done(error === null ? { kind: 'ok', cause: 'connected' } : resultOfError(error));
  });
  return { phase: () => dialling.phase, cancel: () => dialling.abort() };
};

export const tcp = defineChecker({
  name: 'tcp',
  options: () => ({}),
  compile: () => ({}),
  run: connectOnce,
  describe: () => 'TCP heartbeat',
  covers: (signal) => signal === 'connect',
});
