// Received bytes of one connection of the HTTP/1.1 engine: held until their phase, scanned as heads, and bounded.
// Thread: worker.

import type { ClientSocket } from '../accept/client-socket.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Http1Listener } from './http1-listener.ts';
import type { RequestScan } from './request-scan.ts';

/** Bytes held for later requests; the socket isn't read beyond them (memory exhaustion by pipelining). */
const MAX_WAITING_BYTES = 65_536;

export class Http1Input {
  readonly held: HeldBytes = new HeldBytes();
  /** The client has half-closed: no byte follows. */
  hasEnded = false;
  readonly #client: ClientSocket;
  readonly #listener: Http1Listener;
  /** Allocated when the first bytes arrive. */
  #scan: RequestScan | null = null;
  #isProcessing = false;
  #isPaused = false;

  constructor(client: ClientSocket, listener: Http1Listener) {
    this.#client = client;
    this.#listener = listener;
  }

  /**
   * Calls `step` while bytes are held and it returns true.
   * @returns false where it is running already: the call came from inside a step
   */
  process(step: () => boolean): boolean {
    if (this.#isProcessing) return false;
    this.#isProcessing = true;
    while (this.held.length > 0 && step());
    this.#isProcessing = false;
    return true;
  }

  /** Scans the held bytes as a request head. @returns as RequestScan.next */
  scanHead(): number {
    this.#scan ??= this.#listener.takeScan(this.#client.facts);
    return this.#scan.next(this.held);
  }

  /** The head scanned last. */
  get head(): ScannedRequestHead {
    return this.#scan!.head;
  }

  /** Stops reading the socket while more is held than allowed. @param isBusy whether held bytes wait for an exchange */
  bound(isBusy: boolean): void {
    const mustPause = isBusy && this.held.length > MAX_WAITING_BYTES;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#client.stream.pause();
    else this.#client.stream.resume();
  }

  /** Puts the held bytes back into the socket's stream. */
  unread(): void {
    const { bytes, start, end } = this.held;
    this.held.clear();
    this.#client.stream.unshift(bytes.subarray(start, end));
  }

  /** Frees the memory. @param isHeadUsed whether an exchange may still use the head */
  release(isHeadUsed: boolean): void {
    this.held.clear();
    if (this.#scan !== null && !isHeadUsed) this.#listener.giveScan(this.#scan);
    this.#scan = null;
  }
}
