// Diallers of TCP sessions, one for each endpoint of a Snapshot. Thread: worker.

import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { Timers } from '../../../core/timers.ts';
import { Dialler, endpointTarget } from '../../../net/dial.ts';

export class SessionDiallers {
  readonly #timers: Timers;
  /** Weak, so that TLS contexts and sessions live as long as their endpoint's Snapshot. */
  readonly #diallers = new WeakMap<EndpointSnapshot, Dialler>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  diallerOf(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot): Dialler {
    let dialler = this.#diallers.get(endpoint);
    if (dialler === undefined) {
      const target = { ...endpointTarget(endpoint, upstream, []), allowHalfOpen: true };
      dialler = new Dialler(target, this.#timers);
      this.#diallers.set(endpoint, dialler);
    }
    return dialler;
  }
}
