// A TCP reset that never loses the socket. The only caller of resetAndDestroy; the linter forbids it elsewhere.
// Thread: both.

import type { Socket } from 'node:net';

/**
 * Ends a connection with RST and without the bytes that are still queued. Where no reset can be sent the socket is
 * destroyed: before it is connected, on a Unix socket, and while FIN is being sent.
 */
export function resetSocket(socket: Socket): void {
  // A socket that connects runs resetAndDestroy only once it is connected: in the turn that may also send FIN.
  const canReset = !socket.destroyed && !socket.connecting && socket.remoteAddress !== undefined;
  if (!canReset || isSendingFin(socket)) socket.destroy();
  // oxlint-disable-next-line no-restricted-properties -- the one place that checks first
  else socket.resetAndDestroy();
}

/**
 * Whether shutdown(2) is pending. libuv refuses a reset then (EINVAL), but Node 26.10 marks the handle as closed all the
 * same: its descriptor leaks, 'close' never comes, and the cleanup of the main thread or worker that it belongs to waits
 * for it in a loop without end. Bytes still queued precede the shutdown, so with any left a reset works.
 */
export function isSendingFin(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}
