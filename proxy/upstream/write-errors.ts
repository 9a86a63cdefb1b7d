// Keeps a socket readable after a failed write. Thread: worker.

import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * Node destroys a socket whose write fails, and with it the received bytes that were not read yet.
 * An endpoint that refuses an upload loses its response that way: it answers, closes with unread request bytes, and the
 * RST that follows fails our next write (RFC 9112 section 9.6). Here a failed write is reported instead, later writes
 * are discarded, and the socket is read to its end, which the system signals after the last received byte.
 * @param socket connected
 * @param onWriteError called once, at the first failed write
 */
export function keepReadableAfterWriteError(socket: Socket, onWriteError: (error: Error) => void): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev!.bind(socket);
  let hasFailed = false;
  let given: Done | null = null;
  let reporting: Done = ignore;
  // A stream passes the same callback to each of its writes: it is wrapped once.
  const wrap = (done: Done): Done => {
    if (done === given) return reporting;
    given = done;
    reporting = (error) => {
      if (error && !hasFailed) {
        hasFailed = true;
        onWriteError(error);
      }
      done();
    };
    return reporting;
  };
  socket._write = (chunk, encoding, done) => {
    if (hasFailed) done();
    else write(chunk, encoding, wrap(done));
  };
  socket._writev = (chunks, done) => {
    if (hasFailed) done();
    else writev(chunks, wrap(done));
  };
}

function ignore(): void {}
