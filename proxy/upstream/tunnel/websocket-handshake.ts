// The handshake of a WebSocket in both forms: Upgrade of HTTP/1.1 (RFC 6455 section 4) and extended CONNECT of HTTP/2
// (RFC 8441 section 5). Thread: worker.

import { createHash } from 'node:crypto';
import type { AttemptRequest, HeadChanges, UpgradeRequest } from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { fieldLines } from '../../http1/field-line.ts';
import { changedFields, protocolsOf, unsendableUpgrade } from './upgrade-request.ts';

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const ACCEPT = 'sec-websocket-accept';

/** Whether an Upgrade request offers WebSocket: the one protocol that HTTP/2 endpoints are asked for. */
export function offersWebSocket({ protocols }: UpgradeRequest): boolean {
  return protocolsOf(protocols).includes('websocket');
}

/** The reason why the request can't be sent as an extended CONNECT, or null. The endpoint doesn't get the key. */
export function unsendableWebSocket(upgrade: UpgradeRequest, request: AttemptRequest): string | null {
  const { head } = request;
  const reason = unsendableUpgrade(upgrade, request);
  if (reason !== null) return reason;
  if (head.method !== 'GET') return 'a WebSocket is requested by GET';
  return KEY.test(keyOf(request)) ? null : 'Sec-WebSocket-Key is not 16 bytes in base64';
}

function keyOf({ head }: AttemptRequest): string {
  return head.field('sec-websocket-key') ?? '';
}

/** The endpoint's acceptance in the form of HTTP/1.1, as the exchange sees it. */
export class AcceptedHead implements ResponseHead {
  readonly status = 101;
  readonly reason = 'Switching Protocols';
  readonly bodyLength = 0;
  readonly hasLength = false;
  readonly #head: ResponseHead;

  /** @param head with status 2xx */
  constructor(head: ResponseHead) {
    this.#head = head;
  }

  field(name: string): string | undefined {
    return name === ACCEPT ? undefined : this.#head.field(name);
  }

  endToEndFields(): FieldList {
    const fields = this.#head.endToEndFields();
    return fields.filter((_, at) => fields[at & ~1] !== ACCEPT);
  }

  /** The 101 for the client of `request`. */
  encode(request: AttemptRequest, changes: HeadChanges): string {
    const accept = createHash('sha1')
      .update(`${keyOf(request)}${ACCEPT_SUFFIX}`)
      .digest('base64');
    const fields = changedFields(this.endToEndFields(), changes);
    const own = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Accept', accept];
    return `HTTP/1.1 101 Switching Protocols\r\n${fieldLines([...fields, ...own])}\r\n`;
  }
}
