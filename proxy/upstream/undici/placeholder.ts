// The placeholder messages that undici sees in place of the real ones. Thread: worker.
//
// undici treats requests by their method, and takes response fields seriously: it closes the connection after a HEAD, or
// after a GET with a body, holds a head back until the body's first byte, drops trailers, and would disagree with our
// codec about odd heads. So it sees one request only, GET / without a body, and bare responses.

import { BodyKind, type Framing } from '../../http1/framing.ts';
import type { MessageHead } from '../../http1/message-head.ts';
import { announcedTimeoutMs, announcesForbiddenBody } from '../response-persistence.ts';

/** The request that undici is given. */
export const PLACEHOLDER_REQUEST = { method: 'GET', path: '/', body: null } as const;

/** The first bytes that undici writes for it. */
export const PLACEHOLDER_LINE = 'GET / HTTP/1.1\r\n';

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** A response head with status, framing and persistence only, as undici gets it. */
export function placeholderHead(head: MessageHead, framing: Framing): string {
  let text = `HTTP/1.1 ${head.status} -\r\n`;
  if (framing.body === BodyKind.CHUNKED) text += 'transfer-encoding: chunked\r\n';
  else if (framing.body !== BodyKind.UNTIL_CLOSE && !isBodyless(head.status)) {
    text += `content-length: ${framing.lengthBytes}\r\n`;
  }
  if (!isReusable(head, framing)) return `${text}connection: close\r\n\r\n`;
  const announcedMs = announcedTimeoutMs(head);
  const hint = announcedMs < 0 ? '' : `keep-alive: timeout=${announcedMs / 1000}\r\n`;
  return `${text}connection: keep-alive\r\n${hint}\r\n`;
}

/** Whether the response lets its connection be reused. */
export function isReusable(head: MessageHead, framing: Framing): boolean {
  return framing.isPersistent && !announcesForbiddenBody(head);
}

function isBodyless(status: number): boolean {
  return status === NO_CONTENT || status === NOT_MODIFIED;
}
