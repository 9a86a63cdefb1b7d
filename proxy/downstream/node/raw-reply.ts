// A local reply as bytes, for a client whose request node:http could not parse. Thread: worker.

import type { LocalReply } from '../../../core/exchange-contract.ts';

/** The whole response, saying that the connection ends. @param wallMs for its Date field */
export function rawReply(reply: LocalReply, wallMs: number): Buffer {
  let head = `HTTP/1.1 ${reply.status} ${reply.reason}\r\nDate: ${new Date(wallMs).toUTCString()}\r\n`;
  for (let at = 0; at < reply.fields.length; at += 2) head += `${reply.fields[at]}: ${reply.fields[at + 1]}\r\n`;
  head += `Connection: close\r\nContent-Length: ${reply.body.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), reply.body]);
}
