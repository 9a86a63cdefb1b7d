// Exchanges that have ended and that nobody knows any more, for the next requests: old objects cost the garbage collector
// less than new ones. Thread: worker.

import { Exchange, type ExchangeHooks } from './exchange.ts';

/** As many as may well run at a time. */
const MAX_SPARE = 256;

export class ExchangePool {
  readonly #hooks: ExchangeHooks;
  readonly #spare: Exchange[] = [];

  constructor(hooks: ExchangeHooks) {
    this.#hooks = hooks;
  }

  /** An exchange to begin. */
  take(): Exchange {
    return this.#spare.pop() ?? new Exchange(this.#hooks);
  }

  /** Takes an exchange whose response was flushed, and keeps it where it went the plain way. */
  give(exchange: Exchange): void {
    if (exchange.client.isSilentAfterFlush !== true || !exchange.isReusable) return;
    exchange.spareAttempt = exchange.attempt;
    if (this.#spare.length < MAX_SPARE) this.#spare.push(exchange);
  }
}
