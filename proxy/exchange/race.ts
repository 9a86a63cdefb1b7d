// Two attempts of one exchange side by side: the hedge and the one that it hedges. The first head wins. Thread: worker.

import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import type { Attempt } from './attempt.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Ending } from './ending.ts';
import type { Exchange } from './exchange.ts';

export class Race {
  readonly #context: ForwardingContext;
  readonly #ending: Ending;

  constructor(context: ForwardingContext, ending: Ending) {
    this.#context = context;
    this.#ending = ending;
  }

  /** Begins it: what runs becomes the rival, and the next attempt is the hedge. */
  begin(exchange: Exchange): void {
    exchange.rival = exchange.attempt;
    exchange.hedges++;
    this.#context.lanes.upstream(exchange.target!.snapshot.index).add(UPSTREAM_FIELD.hedges, 1);
  }

  /** `winner` has answered: the other one is cancelled. */
  won(exchange: Exchange, winner: Attempt): void {
    const rival = exchange.rival as Attempt | null;
    if (rival === null) return;
    const hedge = exchange.attempt as Attempt;
    const loser = winner === rival ? hedge : rival;
    exchange.attempt = winner;
    exchange.endpoint = winner.endpoint;
    exchange.rival = null;
    if (winner === hedge) {
      this.#context.lanes.upstream(exchange.target!.snapshot.index).add(UPSTREAM_FIELD.hedgesWon, 1);
      if (this.#context.paces.lostHedge(loser.endpoint.slot)) this.#ending.markStalled(exchange, loser.endpoint);
    }
    this.cancel(exchange, loser);
  }

  /** `loser` has failed: the other one goes on alone. */
  lost(exchange: Exchange, loser: Attempt): void {
    const rival = exchange.rival as Attempt;
    const other = loser === rival ? (exchange.attempt as Attempt) : rival;
    exchange.attempt = other;
    exchange.endpoint = other.endpoint;
    exchange.rival = null;
    exchange.state = other.leasedMs > 0 ? 'sent' : 'placing';
    // The one that is left may be hedged again.
    exchange.wasHedged = false;
  }

  /** Ends the race before it is decided: what was the rival is cancelled. */
  callOff(exchange: Exchange): void {
    this.cancel(exchange, exchange.rival as Attempt | null);
    exchange.rival = null;
  }

  /** Ends an attempt without a verdict on its endpoint. */
  cancel(exchange: Exchange, attempt: Attempt | null): void {
    if (attempt === null || attempt.isOver) return;
    attempt.abort();
    this.#ending.attemptAbandoned(exchange, attempt);
  }
}
