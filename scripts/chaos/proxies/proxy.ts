// A proxy in a chaos run. Thread: main.

import type { Peer, PeerPlace } from '../../peers/peer.ts';

/** Balancers that every proxy has, under one name or another. */
export type Balance = 'least-request' | 'round-robin' | 'peak-ewma';

/**
 * Settings of all proxies: 'defaults' are the basic examples of the manuals, 'recommended' is docs/operations.md, "Fast
 * failover", and for peers settings of an expert who aims for availability.
 */
export const PROFILES = ['defaults', 'recommended'] as const;
export type ProfileName = (typeof PROFILES)[number];

/** Changes of a scenario to the recommended settings; all proxies apply them as far as they have the setting. */
export interface ProfileChanges {
  /** Timeout of one attempt of a repeatable request in ms; null is none. */
  readonly tryMs?: number | null;
  /** Response timeout in ms. */
  readonly responseMs?: number;
  /** Limit of requests at one endpoint; more of them wait. 0 is no limit. */
  readonly maxConnections?: number;
  /** Queue timeout in ms. */
  readonly queueMs?: number;
  /** False disables hedging. */
  readonly isHedged?: false;
}

/** A profile as applied in a case. */
export interface Profile {
  readonly name: ProfileName;
  /** Not used by 'defaults': there every proxy has the balancer of its example. */
  readonly balance: Balance;
  readonly changes: ProfileChanges;
}

/** Recommended settings of the peers, the same figures as in docs/operations.md where both have the setting. */
export const PEER_SETTINGS = {
  tryMs: 250,
  connectMs: 300,
  checkTimeoutMs: 300,
  responseMs: 10_000,
  maxConnections: 0,
  queueMs: 5000,
} as const;

/** Settings of a peer after the changes of a scenario. */
export type PeerSettings = Required<Omit<ProfileChanges, 'isHedged'>> & Pick<Profile, 'balance'>;

export function peerSettings({ balance, changes }: Profile): PeerSettings {
  return { ...PEER_SETTINGS, ...changes, balance };
}

export interface ProxySetup extends PeerPlace {
  /** Ports of the endpoints on 127.0.0.1; each answers GET /health. */
  readonly endpointPorts: readonly number[];
  readonly profile: Profile;
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
