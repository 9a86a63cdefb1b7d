// Limits on a client that doesn't read its response: an idle timeout, and a minimum rate. Thread: worker.

import { WheelTimer } from '../../../core/timer-wheel.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { SendRate } from '../accept/send-rate.ts';
import type { Http1Parts } from './http1-context.ts';

/**
 * Under TLS every write is pending for a moment, until node:tls has reported its end; a longer one waits for the client.
 * A socket timer for each response would be a tenth of the response's whole cost.
 */
const TLS_WRITE_MS = 20;

export class SendTimeout {
  readonly #client: ClientSocket;
  readonly #parts: Http1Parts;
  readonly #limitMs: number;
  readonly #expired: () => void;
  #isRunning = false;
  /** Created on first use, as is `#rate`: most clients read at once. */
  #timer: WheelTimer | null = null;
  #rate: SendRate | null = null;

  /** @param expired called when the client reads too slowly; 'timeout' of the socket covers one that reads nothing */
  constructor(client: ClientSocket, parts: Http1Parts, limitMs: number, expired: () => void) {
    this.#client = client;
    this.#parts = parts;
    this.#limitMs = limitMs;
    this.#expired = expired;
  }

  /** Bytes wait for the client. */
  begin(): void {
    if (this.#isRunning || this.#limitMs === 0) return;
    this.#isRunning = true;
    // Node's own timer of the socket is the only one that sees progress within one large write.
    this.#client.stream.setTimeout(this.#limitMs);
    this.#rate ??= new SendRate(this.#client.raw);
    this.#rate.begin(this.#parts.turn.nowMs());
    this.#arm(this.#limitMs);
  }

  /** As `begin`, unless the write ends within the time that TLS takes for it. */
  beginUnlessWritten(): void {
    if (!this.#isRunning) this.#arm(TLS_WRITE_MS);
  }

  end(): void {
    if (this.#timer !== null) this.#parts.wheel.cancel(this.#timer);
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#rate?.end();
    this.#client.stream.setTimeout(0);
  }

  #arm(delayMs: number): void {
    const { wheel, turn } = this.#parts;
    this.#timer ??= new WheelTimer(() => this.#fired());
    wheel.arm(this.#timer, delayMs, turn.nowMs());
  }

  #fired(): void {
    if (!this.#isRunning) this.begin();
    else if (this.#rate!.isTooSlow(this.#parts.turn.nowMs(), this.#limitMs)) this.#expired();
    else this.#arm(this.#limitMs);
  }
}
