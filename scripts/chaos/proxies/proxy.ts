// A proxy in a chaos run. Thread: main.

import type { Peer, PeerPlace } from '../../peers/peer.ts';

/** As every proxy calls them, or something very near. */
export type Balance = 'least-request' | 'round-robin' | 'peak-ewma';

/** What all proxies are tuned to, as far as they can. */
export interface Tuning {
  readonly balance: Balance;
  /** Patience with one try of a request that may be repeated; null is no limit of its own. */
  readonly tryMs: number | null;
  /** Patience with an answer. */
  readonly responseMs: number;
  /** Most requests at one endpoint; more of them wait. 0 is no limit. */
  readonly maxConnections: number;
  /** How long requests wait for an endpoint. */
  readonly queueMs: number;
  /** Whether requests are held while no endpoint is up. */
  readonly waitsWhenAllDown: boolean;
  /** Whether slow requests get a second try beside the first, where the proxy has that. */
  readonly isHedged: boolean;
}

export interface ProxySetup extends PeerPlace {
  /** Ports of the endpoints on 127.0.0.1; each answers GET /health. */
  readonly endpointPorts: readonly number[];
  readonly tuning: Tuning;
}

export interface RunningProxy {
  readonly port: number;
  /** What its logs say about a request; asked after the load. */
  explain?(id: string): Promise<string>;
  /** Counters and log lines that a reader of the figures should see; asked after the load. */
  notes?(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** One file of this folder for each: the configuration that is put to the test. */
export interface Proxy extends Pick<Peer, 'name' | 'version'> {
  balances(balance: Balance): boolean;
  /** Starts it and waits until it serves. @throws Error with its last line of output when it does not */
  start(setup: ProxySetup): Promise<RunningProxy>;
}
