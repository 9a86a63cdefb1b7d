// What becomes of an exchange whose connection is upgraded. Thread: worker.

import type { TunnelEnd } from '../../core/exchange-contract.ts';
import { signalOfStatus } from '../../core/failure.ts';
import type { Attempt, TunnelHooks } from './attempt.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Ending } from './ending.ts';
import type { Exchange } from './exchange.ts';
import type { Waiting } from './waiting.ts';

export class Tunnelling implements TunnelHooks {
  readonly #context: ForwardingContext;
  readonly #ending: Ending;
  readonly #waiting: Waiting;

  constructor(context: ForwardingContext, ending: Ending, waiting: Waiting) {
    this.#context = context;
    this.#ending = ending;
    this.#waiting = waiting;
  }

  tunnelOpen(exchange: Exchange, attempt: Attempt): void {
    exchange.headMs = this.#context.clock.nowMs();
    exchange.state = 'tunnel';
    exchange.status = 101;
    exchange.wasUpgraded = true;
    exchange.hasResponseBegun = true;
    this.#waiting.stop(exchange);
    this.#ending.tunnelOpened(exchange, attempt);
  }

  tunnelRefused(exchange: Exchange, attempt: Attempt, status: number): void {
    exchange.headMs = this.#context.clock.nowMs();
    exchange.status = status;
    this.#waiting.stop(exchange);
    this.#ending.attemptAnswered(exchange, attempt, status, signalOfStatus(status, false));
    this.#ending.attemptEnded(exchange, attempt);
    this.#ending.finish(exchange);
  }

  tunnelClosed(exchange: Exchange, attempt: Attempt, end: TunnelEnd): void {
    exchange.bytesReceived += end.bytesFromClient;
    exchange.bytesSent += end.bytesFromEndpoint;
    this.#waiting.stop(exchange);
    this.#ending.tunnelClosed(exchange, attempt, end);
  }
}
