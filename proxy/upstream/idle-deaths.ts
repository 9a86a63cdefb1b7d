// Notices that an endpoint closes idle connections: several together, or its last one. A process that is killed does
// that before any request to it fails. Thread: worker.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** Deaths within this time count as together. */
const TOGETHER_MS = 100;

/** Is told of an endpoint whose idle connections died. */
export type OnIdleDeath = (upstream: UpstreamSnapshot, endpoint: EndpointSnapshot) => void;

/** Of one endpoint in one worker. */
export class IdleDeaths {
  readonly #tell: () => void;
  #firstMs = -Infinity;

  /** @param tell is called once for each group of deaths */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /**
   * The endpoint, not we, has closed an idle connection.
   * @param idleLeft idle connections that are left
   */
  died(idleLeft: number, nowMs: number): void {
    const areSeveral = nowMs - this.#firstMs < TOGETHER_MS;
    if (!areSeveral) this.#firstMs = nowMs;
    if (areSeveral || idleLeft === 0) this.#tell();
  }
}
