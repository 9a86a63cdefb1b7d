// Tunnels over http-proxy-3's ws(): relays upgraded connections, mostly WebSocket. Thread: worker.

import type {
  AttemptRequest,
  TunnelEvents,
  TunnelHandle,
  Tunnels,
  UpgradeRequest,
} from '../../../core/exchange-contract.ts';
import { failureOf } from '../../../core/failure.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import { Dialler, endpointTarget } from '../../../net/dial.ts';
import { SocketUpgrade } from '../../wire/socket-upgrade.ts';
import { prefaceOf } from '../proxy-preface.ts';
import { EndpointLane } from '../endpoint-lane.ts';
import { Tunnel } from './tunnel.ts';
import type { TransportParts } from '../transport-parts.ts';

/** Worker objects that tunnels use. */
export type TunnelParts = Omit<TransportParts, 'onIdleDeath'>;

/** HTTP/2 has no Upgrade (RFC 9113 section 8.6). */
function refuse(events: TunnelEvents): TunnelHandle {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  const cause = new Error('an upgrade of HTTP/1.1 cannot be sent to an upstream with protocol: http2');
  queueMicrotask(() => {
    if (!isOver) events.onFailure(failureOf('unsendable-request', false, cause));
  });
  return { protocol: 'http2', abort: end, close: end };
}

export class UpgradeTunnels implements Tunnels {
  readonly #parts: TunnelParts;
  readonly #open = new Set<Tunnel>();
  /** Weak, so that TLS contexts and sessions live as long as their endpoint's Snapshot. */
  readonly #diallers = new WeakMap<EndpointSnapshot, Dialler>();

  constructor(parts: TunnelParts) {
    this.#parts = parts;
  }

  open(upgrade: UpgradeRequest, request: AttemptRequest, events: TunnelEvents): TunnelHandle {
    const { region, worker, timers, onFault } = this.#parts;
    if (!(upgrade instanceof SocketUpgrade)) throw new TypeError('the upgrade carries no connection');
    if (request.upstream.protocol === 'http2') return refuse(events);
    const setting = {
      dialler: this.#diallerOf(request),
      preface: prefaceOf(request.upstream, 'http/1.1')?.headerFor(request.origin) ?? null,
      lane: new EndpointLane(region, worker, request.endpoint.slot),
      timers,
      onFault,
      onOver: (over: Tunnel): void => void this.#open.delete(over),
    };
    const tunnel = new Tunnel(setting, { upgrade, request, events });
    this.#open.add(tunnel);
    tunnel.start();
    return { protocol: 'http1', abort: () => tunnel.abort(), close: () => tunnel.end('drain') };
  }

  closeAll(): void {
    for (const tunnel of this.#open) tunnel.end('drain');
  }

  #diallerOf({ endpoint, upstream }: AttemptRequest): Dialler {
    let dialler = this.#diallers.get(endpoint);
    if (dialler === undefined) {
      const target = { ...endpointTarget(endpoint, upstream), allowHalfOpen: true };
      dialler = new Dialler(target, this.#parts.timers);
      this.#diallers.set(endpoint, dialler);
    }
    return dialler;
  }
}
