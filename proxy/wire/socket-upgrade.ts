// An Upgrade request together with its client's connection, which the tunnel takes over. Thread: worker.

import type { Duplex } from 'node:stream';
import type { UpgradeRequest } from '../../core/exchange-contract.ts';

export class SocketUpgrade implements UpgradeRequest {
  readonly protocols: string;
  readonly firstBytes: Buffer;
  readonly socket: Duplex;
  /** Whether the client has sent an extended CONNECT, to which any 2xx is an acceptance (RFC 8441 section 5). */
  readonly isConnect: boolean;

  constructor(protocols: string, firstBytes: Buffer, socket: Duplex, isConnect = false) {
    this.protocols = protocols;
    this.firstBytes = firstBytes;
    this.socket = socket;
    this.isConnect = isConnect;
  }
}
