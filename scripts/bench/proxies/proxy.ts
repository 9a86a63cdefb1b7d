// What the benchmark wants of a proxy. Thread: main.

import type { Certificate } from '../certificate.ts';

/** What a proxy is started for. */
export interface ProxySetup {
  /** Port of the origin on 127.0.0.1. */
  readonly originPort: number;
  /** For its configuration and logs; in memory where there is such a file system. */
  readonly folder: string;
  /** Cores for taskset. */
  readonly cores: string;
  readonly workers: number;
  /** Given where it is to speak TLS. */
  readonly certificate: Certificate | null;
  readonly hasAccessLog: boolean;
}

export interface RunningProxy {
  readonly port: number;
  /** Of the process whose tree does the work. */
  readonly pid: number;
  /** Something that a reader of the figures should know; asked after the load. */
  note?(): Promise<string | null>;
  stop(): Promise<void>;
}

/** One file of this folder for each. */
export interface Proxy {
  readonly name: string;
  readonly title: string;
  /** How to get it, where `version` says null. */
  readonly install: string;
  /** Its version; null where it is not installed. */
  version(): string | null;
  /** Why it does not take part in a case with this; null where it does. */
  refusal(setup: Pick<ProxySetup, 'workers' | 'hasAccessLog'>): string | null;
  /** Starts it and waits until it serves. Throws with what it said where it doesn't. */
  start(setup: ProxySetup): Promise<RunningProxy>;
}

/** The refusal of peers: what an access log costs is asked of Fairlead only, for every peer has another format. */
export function withoutAccessLog({ hasAccessLog }: Pick<ProxySetup, 'hasAccessLog'>): string | null {
  return hasAccessLog ? 'measured for Fairlead only' : null;
}
