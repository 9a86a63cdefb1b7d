// Tunnels: relays upgraded connections, mostly WebSocket, over http-proxy-3's ws() to HTTP/1.1 endpoints, and over streams
// to HTTP/2 endpoints. Thread: worker.

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
import { AlpnTunnel } from './alpn-tunnel.ts';
import { Http2Tunnel, type TunnelStreams } from './http2-tunnel.ts';
import { Tunnel, type TunnelTask } from './tunnel.ts';
import type { TransportParts } from '../transport-parts.ts';
import { offersWebSocket } from './websocket-handshake.ts';

/** Worker objects that tunnels use. */
export type TunnelParts = Omit<TransportParts, 'onIdleDeath'>;

export class UpgradeTunnels implements Tunnels {
  readonly #parts: TunnelParts;
  readonly #streams: TunnelStreams;
  readonly #open = new Set<TunnelHandle>();
  /** Weak, so that TLS contexts and sessions live as long as their endpoint's Snapshot. */
  readonly #diallers = new WeakMap<EndpointSnapshot, Dialler>();

  /** @param streams to HTTP/2 endpoints */
  constructor(parts: TunnelParts, streams: TunnelStreams) {
    this.#parts = parts;
    this.#streams = streams;
  }

  open(upgrade: UpgradeRequest, request: AttemptRequest, events: TunnelEvents): TunnelHandle {
    if (!(upgrade instanceof SocketUpgrade)) throw new TypeError('the upgrade carries no connection');
    const { protocol } = request.upstream;
    const task = { upgrade, request, events };
    if (protocol === 'http1') return this.#openHttp1(task);
    if (!offersWebSocket(upgrade)) return protocol === 'auto' ? this.#openHttp1(task) : this.#refuse(task);
    if (protocol === 'http2') return this.#openHttp2(task);
    return new AlpnTunnel(
      events,
      (inner) => this.#openHttp2({ ...task, events: inner }),
      () => this.#openHttp1(task),
    );
  }

  closeAll(): void {
    for (const tunnel of this.#open) tunnel.close();
  }

  #openHttp1(task: TunnelTask): TunnelHandle {
    const { region, worker, timers, onFault } = this.#parts;
    const { request } = task;
    const setting = {
      dialler: this.#diallerOf(request),
      preface: prefaceOf(request.upstream, 'http/1.1')?.headerFor(request.origin) ?? null,
      lane: new EndpointLane(region, worker, request.endpoint.slot),
      timers,
      onFault,
      onOver: (over: Tunnel): void => void this.#open.delete(over),
    };
    const tunnel = new Tunnel(setting, task);
    this.#open.add(tunnel);
    tunnel.start();
    return tunnel;
  }

  #openHttp2(task: TunnelTask): TunnelHandle {
    const { region, worker, timers, onFault } = this.#parts;
    const setting = {
      streams: this.#streams,
      lane: new EndpointLane(region, worker, task.request.endpoint.slot),
      timers,
      onFault,
      onOver: (over: Http2Tunnel): void => void this.#open.delete(over),
    };
    const tunnel = new Http2Tunnel(setting, task);
    this.#open.add(tunnel);
    tunnel.start();
    return tunnel;
  }

  /** HTTP/2 has no Upgrade (RFC 9113 section 8.6), and of its other forms only that of WebSocket is defined. */
  #refuse({ request, events }: TunnelTask): TunnelHandle {
    const reason = 'HTTP/2 has no upgrade to other protocols than websocket: set protocol: auto or http1';
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    queueMicrotask(() => {
      if (isOver) return;
      this.#parts.onFault(request.endpoint, 'upgrade-unsupported', reason);
      events.onFailure(failureOf('upgrade-unsupported', false, new Error(reason)));
    });
    return { protocol: 'http2', abort: end, close: end };
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
