// Policy: a number of requests of each client that a route has in progress at a time, over all workers. Thread: both.

import { clientNetwork } from '../../core/address.ts';
import type { CausedReply, Policy, PolicyExchange } from '../../core/policy/policy.ts';
import type { CreateContext } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';

const BUSY: CausedReply = { cause: 'client-busy' };
const COUNTED = true;

/** Data of the policy in a Snapshot. */
export interface ClientConcurrencyData {
  readonly requestsPerClient: number;
  /** Name of the route: each counts its own. */
  readonly owner: string;
}

export const clientConcurrency = builtIn({
  name: 'client-concurrency',
  scope: 'route',
  stage: 'admit',
  needs: ['reply'],
  options: ({ count }) => ({
    requestsPerClient: count(1, 1_000_000)
      .describe(
        'Requests that one client may have in progress on this route, over all workers; further ones are answered 429. A client is an IPv4 address or an IPv6 /64, behind trusted proxies.',
      )
      .optional(),
  }),
  compile: ({ requestsPerClient }, { owner }): ClientConcurrencyData | null =>
    requestsPerClient === undefined ? null : { requestsPerClient, owner },
  create: (data, context) => new CountedRoute(data, context),
  explain: ({ requestsPerClient }, { clientAddress }) =>
    `allows ${clientNetwork(clientAddress)} ${requestsPerClient} requests at a time`,
});

class CountedRoute implements Policy {
  readonly #most: number;
  readonly #hash;
  readonly #counts;

  constructor({ requestsPerClient, owner }: ClientConcurrencyData, { services }: CreateContext) {
    this.#most = requestsPerClient;
    this.#hash = services.clients.hash.derive(`client-concurrency ${owner}`);
    this.#counts = services.counts;
  }

  onRequest(exchange: PolicyExchange): CausedReply | undefined {
    this.#hash.of(clientNetwork(exchange.clientAddress));
    if (!this.#counts.add(this.#hash.low, this.#hash.high, this.#most)) return BUSY;
    exchange.memo = COUNTED;
    return undefined;
  }

  onEnd(exchange: PolicyExchange): void {
    if (exchange.memo !== COUNTED) return;
    this.#hash.of(clientNetwork(exchange.clientAddress));
    this.#counts.subtract(this.#hash.low, this.#hash.high);
  }
}
