// Distinguishes HTTP/2 with prior knowledge from HTTP/1.1 on a connection without TLS, by the connection preface (RFC 9113
// section 3.4). Thread: worker.

import { CONNECTION_PREFACE } from '../../http2/frame-format.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import type { ClientSocket } from './client-socket.ts';
import type { FirstBytesReader } from './first-bytes.ts';

/** Waits until the bytes differ from the preface, or are the preface. All of them stay, for the server of the protocol. */
export class ProtocolDetector implements FirstBytesReader {
  readonly limitMs: number;
  readonly #client: ClientSocket;
  readonly #serve: (client: ClientSocket, isHttp2: boolean) => void;

  /** @param limitMs how long the client may take for its first bytes */
  constructor(client: ClientSocket, limitMs: number, serve: (client: ClientSocket, isHttp2: boolean) => void) {
    this.#client = client;
    this.limitMs = limitMs;
    this.#serve = serve;
  }

  examine(held: HeldBytes): (() => void) | null {
    const size = Math.min(held.length, CONNECTION_PREFACE.length);
    const isSame = held.bytes.compare(CONNECTION_PREFACE, 0, size, held.start, held.start + size) === 0;
    return isSame && size < CONNECTION_PREFACE.length ? null : () => this.#serve(this.#client, isSame);
  }
}
