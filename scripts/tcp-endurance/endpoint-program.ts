// An endpoint that echoes, in a process of its own. A connection whose first byte is `e` is ended by it after an echo, one
// with `r` is reset. Prints its port. Thread: main.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { resetSocket } from '../../net/reset-socket.ts';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
  let first = 0;
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.on('drain', () => socket.resume());
  socket.on('data', (bytes: Buffer) => {
    first ||= bytes[0]!;
    if (bytes.at(-1) === 0x0a && first === 0x72) resetSocket(socket);
    else if (bytes.at(-1) === 0x0a && first === 0x65) socket.end(bytes);
    else if (!socket.write(bytes)) socket.pause();
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit());
