// An Upgrade request together with its client's connection, which the tunnel takes over. Thread: worker.

import type { Duplex } from 'node:stream';
import type { UpgradeRequest } from '../../core/exchange-contract.ts';

export class SocketUpgrade implements UpgradeRequest {
  readonly protocols: string;
  readonly firstBytes: Buffer;
  readonly socket: Duplex;

  constructor(protocols: string, firstBytes: Buffer, socket: Duplex) {
    this.protocols = protocols;
    this.firstBytes = firstBytes;
    this.socket = socket;
  }
}
