// A proxy in the benchmark. Thread: main.

import type { Peer, PeerPlace, RunningPeer } from '../../peers/peer.ts';
import type { Certificate } from '../../peers/self-signed-certificate.ts';

/** Start parameters of a proxy. Its folder is in memory if such a file system exists. */
export interface ProxySetup extends PeerPlace {
  /** Port of the origin on 127.0.0.1. */
  readonly originPort: number;
  /** Set when the proxy is to speak TLS. */
  readonly certificate: Certificate | null;
  /** Whether clients speak HTTP/2: by ALPN, or with prior knowledge in cleartext. */
  readonly isHttp2: boolean;
  readonly hasAccessLog: boolean;
  /** Level of gzip for text; 0 for no compression. */
  readonly gzipLevel: number;
}

export interface RunningProxy extends RunningPeer {
  /** A remark for readers of the figures; called after the load. */
  note?(): Promise<string | null>;
}

/** Needs of a case, apart from the proxy's place. */
export interface CaseSetup extends Pick<ProxySetup, 'workers' | 'hasAccessLog' | 'gzipLevel'> {
  /** Null for HTTP/1.1. */
  readonly http2: object | null;
}

/** One file of this folder for each: the configuration that is measured. */
export interface Proxy extends Pick<Peer, 'name' | 'title' | 'install' | 'version'> {
  /** Why it takes no part in such a case; null where it does. */
  refusal(setup: CaseSetup): string | null;
  /** Starts it and waits until it serves. @throws Error with its last line of output when it does not */
  start(setup: ProxySetup): Promise<RunningProxy>;
}

/** As withoutAccessLog, for peers whose level of compression can't be set to nginx's. */
export function plainOnly(setup: Pick<ProxySetup, 'hasAccessLog' | 'gzipLevel'>): string | null {
  return setup.gzipLevel > 0 ? 'measured for Fairlead and nginx only' : withoutAccessLog(setup);
}

/** Peers take no part in cases with an access log: their formats differ. */
export function withoutAccessLog({ hasAccessLog }: Pick<ProxySetup, 'hasAccessLog'>): string | null {
  return hasAccessLog ? 'measured for Fairlead only' : null;
}
