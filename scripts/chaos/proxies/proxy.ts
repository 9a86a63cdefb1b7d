// A proxy in a chaos run. Thread: main.

import type { Peer, PeerPlace } from '../../peers/peer.ts';

/** Balancers that every proxy has, under one name or another. */
export type Balance = 'least-request' | 'round-robin' | 'peak-ewma';

/** Settings that all proxies are tuned to, as far as they have them. */
export interface Tuning {
  readonly balance: Balance;
  /** Timeout of one try of a repeatable request in ms; null is none. */
  readonly tryMs: number | null;
  /** Response timeout in ms. */
  readonly responseMs: number;
  /** Limit of requests at one endpoint; more of them wait. 0 is no limit. */
  readonly maxConnections: number;
  /** Queue timeout in ms. */
  readonly queueMs: number;
  /** Whether requests are held while no endpoint is up. */
  readonly waitsWhenAllDown: boolean;
  /** Whether slow requests are hedged, if the proxy can. */
  readonly isHedged: boolean;
}

export interface ProxySetup extends PeerPlace {
  /** Ports of the endpoints on 127.0.0.1; each answers GET /health. */
  readonly endpointPorts: readonly number[];
  readonly tuning: Tuning;
}

export interface RunningProxy {
  readonly port: number;
  /** Explains a request from the proxy's logs; called after the load. */
  explain?(id: string): Promise<string>;
  /** Counters and log lines for readers of the figures; called after the load. */
  notes?(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** One file of this folder for each: the configuration that is put to the test. */
export interface Proxy extends Pick<Peer, 'name' | 'version'> {
  balances(balance: Balance): boolean;
  /** Starts it and waits until it serves. @throws Error with its last line of output when it does not */
  start(setup: ProxySetup): Promise<RunningProxy>;
}
