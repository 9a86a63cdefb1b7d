// Pools exchanges that ended and that nothing refers to any more: reuse costs the garbage collector less. Thread: worker.

import { Exchange, type ExchangeHooks } from './exchange.ts';
import type { Runtime } from './runtime.ts';

/** About as many as may run at a time. */
const MAX_SPARE = 256;

export class ExchangePool {
  readonly #hooks: ExchangeHooks;
  readonly #spare: Exchange[] = [];
  #runtime: Runtime | null = null;

  constructor(hooks: ExchangeHooks) {
    this.#hooks = hooks;
  }

  /** Takes an exchange to begin on `runtime`. Exchanges of an earlier Runtime are dropped: they would keep it alive. */
  take(runtime: Runtime): Exchange {
    if (runtime !== this.#runtime) {
      this.#spare.length = 0;
      this.#runtime = runtime;
    }
    return this.#spare.pop() ?? new Exchange(this.#hooks);
  }

  /** Takes back an exchange whose response was flushed; keeps it where nothing else can refer to it. */
  give(exchange: Exchange): void {
    if (exchange.client.isSilentAfterFlush !== true || !exchange.isReusable) return;
    exchange.tries.keepSpare();
    if (exchange.runtime === this.#runtime && this.#spare.length < MAX_SPARE) this.#spare.push(exchange);
  }
}
