// Isolation of listeners that share a port (Gateway API, "HTTPRoute listener isolation"): requests for a host belong to the
// listener with the most specific hostname, and no route of another listener serves them. Thread: main.

import { type ConfigPart, nameOf } from '../provider.ts';
import { originOf } from './backends.ts';
import { covers, type Gateway, type GatewayListener } from './gateways.ts';

/** A listener whose hosts the routes of another one would serve. */
export interface IsolatedListener {
  readonly gateway: Gateway;
  readonly listener: GatewayListener;
}

export class ListenerIsolation {
  readonly #all: readonly IsolatedListener[];
  readonly #isolated = new Set<IsolatedListener>();

  constructor(gateways: readonly Gateway[]) {
    this.#all = gateways.flatMap((gateway) =>
      gateway.listeners.flatMap((listener) => (listener.isUsable ? [{ gateway, listener }] : [])),
    );
  }

  /** Those hosts of a route on a listener that don't belong to a more specific listener as a whole. */
  hostsOn(listener: GatewayListener, hosts: readonly string[]): string[] {
    const others = this.#all.filter(({ listener: other }) => {
      const isMoreSpecific = other.hostname !== listener.hostname && covers(listener.hostname, other.hostname);
      return isMoreSpecific && listener.served.every((name) => other.served.includes(name));
    });
    const kept = hosts.filter((host) => !others.some(({ listener: other }) => covers(other.hostname, host)));
    for (const one of others) {
      if (kept.some((host) => covers(host, one.listener.hostname))) this.#isolated.add(one);
    }
    return kept;
  }

  /** Listeners that `hostsOn` has found below hosts of routes of others: requests without a route there get 404. */
  isolated(): readonly IsolatedListener[] {
    return [...this.#isolated];
  }
}

/** The route that ends the search for hosts of a listener. */
export function isolatingPart({ gateway, listener }: IsolatedListener): ConfigPart {
  const match = { host: listener.hostname, listener: listener.served };
  const name = nameOf('gateway', ...gateway.key.split('/'), listener.name);
  const respond = { status: 404, body: 'no route\n' };
  return { origin: originOf('gateway', gateway.key), config: { routes: [{ name, match, respond }] } };
}
