// Keys of TLS session tickets (RFC 5077, RFC 8446 section 4.6.1): main makes and rotates secrets that all workers share,
// and each TLS server derives its own keys from them, so that no ticket is valid at another one. Thread: worker.

import { hkdfSync, randomBytes } from 'node:crypto';
import type { TicketSecrets } from '../../../core/ticket-secrets.ts';
import { TICKET_KEY_NAME_BYTES } from './client-hello.ts';

/** Name, HMAC key and AES key, 16 bytes each, as `server.setTicketKeys` takes them. */
const KEY_BYTES = 48;

/** Keys of one TLS server. */
export interface TicketKeys {
  /** Encrypt new tickets, and decrypt them. */
  readonly current: Buffer;
  /** Of the period before, while its tickets may be valid. */
  readonly previous: Buffer | null;
}

export class TicketKeyring {
  #secrets: TicketSecrets;
  #epoch = 1;

  /** @param secrets left out, tickets are valid in this worker only */
  constructor(secrets: TicketSecrets = { current: randomBytes(32), previous: null }) {
    this.#secrets = secrets;
  }

  /** Grows with each change. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether tickets of the period before are accepted. */
  get isOverlapping(): boolean {
    return this.#secrets.previous !== null;
  }

  set(secrets: TicketSecrets): void {
    this.#secrets = secrets;
    this.#epoch++;
  }

  /** @param identity of the TLS server: servers with different ones accept no tickets of each other */
  keysFor(identity: string): TicketKeys {
    const derive = (secret: Uint8Array): Buffer =>
      Buffer.from(hkdfSync('sha256', secret, '', `fairlead session tickets: ${identity}`, KEY_BYTES));
    const { current, previous } = this.#secrets;
    return { current: derive(current), previous: previous === null ? null : derive(previous) };
  }
}

/** The part of a key that its tickets begin with. */
export function keyNameOf(key: Buffer): Buffer {
  return key.subarray(0, TICKET_KEY_NAME_BYTES);
}
