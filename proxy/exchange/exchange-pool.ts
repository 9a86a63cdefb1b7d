// Exchanges that have ended and that nobody knows any more, for the next requests: old objects cost the garbage collector
// less than new ones. Thread: worker.

import { Exchange, type ExchangeHooks } from './exchange.ts';
import type { Runtime } from './runtime.ts';

/** As many as may well run at a time. */
const MAX_SPARE = 256;

export class ExchangePool {
  readonly #hooks: ExchangeHooks;
  readonly #spare: Exchange[] = [];
  #runtime: Runtime | null = null;

  constructor(hooks: ExchangeHooks) {
    this.#hooks = hooks;
  }

  /** An exchange to begin on `runtime`. What was kept from earlier ones goes, for it would keep those. */
  take(runtime: Runtime): Exchange {
    if (runtime !== this.#runtime) {
      this.#spare.length = 0;
      this.#runtime = runtime;
    }
    return this.#spare.pop() ?? new Exchange(this.#hooks);
  }

  /** Takes an exchange whose response was flushed, and keeps it where it went the plain way. */
  give(exchange: Exchange): void {
    if (exchange.client.isSilentAfterFlush !== true || !exchange.isReusable) return;
    exchange.spareAttempt = exchange.attempt;
    if (exchange.runtime === this.#runtime && this.#spare.length < MAX_SPARE) this.#spare.push(exchange);
  }
}
