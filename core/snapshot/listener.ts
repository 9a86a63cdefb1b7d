// Listeners in the Snapshot: address, TLS, client limits and timeouts. Thread: both.

import type { AcmeSnapshot, InternalSnapshot } from './certificates.ts';
import type { PolicySnapshot } from './policy.ts';

/**
 * Address that a listener or the admin API binds. A `host` of '' means every address of the machine, as in node:net:
 * IPv6 and IPv4 if IPv6 is available, otherwise IPv4. Port 0 lets the system choose.
 */
export type BindAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** Inherited socket: its descriptor, or its name given by systemd. */
  | { readonly kind: 'fd'; readonly fd: number | string };

/** A certificate and its key as PEM text, and the names that it covers (subject alternative names). */
export interface CertificateSnapshot {
  readonly cert: string;
  readonly key: string;
  readonly names: readonly string[];
  /** Absolute paths of the files from which it was loaded; null for one that isn't watched on disk. */
  readonly files: { readonly cert: string; readonly key: string } | null;
  /** Object of a provider that contributes it. */
  readonly origin?: string;
}

/** Verification of client certificates. */
export interface ClientAuthSnapshot {
  /** Whether clients without a certificate are refused. */
  readonly isRequired: boolean;
  /** PEM texts. */
  readonly ca: readonly string[];
  /** PEM texts of revocation lists; none are checked if empty. */
  readonly crl: readonly string[];
}

/** Settings that are absent are OpenSSL's own. */
export interface TlsSnapshot {
  readonly certificates: readonly CertificateSnapshot[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites and groups by OpenSSL's names, separated by colons. */
  readonly ciphers?: string;
  readonly curves?: string;
  /** Whether the order of `ciphers` counts, and not the client's. */
  readonly hasOwnCiphers?: boolean;
  /** Whether clients without a server name that a certificate covers are refused. */
  readonly isStrict?: boolean;
  readonly clientAuth?: ClientAuthSnapshot;
  /** Whether HTTP/2 is offered in ALPN. */
  readonly http2: boolean;
  /** Protocols of a TCP listener that ALPN may choose from; absent for one of HTTP. */
  readonly alpn?: readonly string[];
  /** Whether certificates of providers are among `certificates`; absent where none may be. */
  readonly fromProviders?: boolean;
  /** Certificates from a CA; absent where there are none. Once issued, they are among `certificates`. */
  readonly acme?: AcmeSnapshot;
  /** Certificate from the internal CA; absent where there is none. Once made, it is among `certificates`. */
  readonly internal?: InternalSnapshot;
}

/** Limits for one client. Sizes are in bytes. */
export interface ClientLimits {
  readonly headBytes: number;
  readonly headFields: number;
  readonly requestLineBytes: number;
  /** 0 for no limit. */
  readonly bodyBytes: number;
  /** Client connections per listener, over all workers; 0 for no limit. */
  readonly connections: number;
  /** Connections of one client to a listener, over all workers; 0 for no limit. */
  readonly connectionsPerClient: number;
  /** Open streams of one HTTP/2 connection. */
  readonly streams: number;
  /** Requests on one connection before it is closed (10 % jitter); 0 for no limit. */
  readonly requestsPerConnection: number;
}

/** Timeouts for one client, in ms. */
export interface ClientTimeouts {
  /** From accept to the first byte of a head, and from its first byte to its end. */
  readonly headMs: number;
  /** Between two reads of a request body. */
  readonly bodyIdleMs: number;
  /** Between two writes of a response that make progress. */
  readonly sendIdleMs: number;
  /** Between two requests on one connection. */
  readonly keepAliveMs: number;
  /** TLS handshake. */
  readonly handshakeMs: number;
}

/**
 * Treatment of request fields whose name has an underscore. Many servers (CGI, WSGI, PHP) turn dashes into underscores, so
 * that X_Forwarded_For reads like X-Forwarded-For to an application.
 */
export type UnderscoreFields = 'drop' | 'refuse' | 'pass';

/** Treatment of paths that are not in normal form. */
export interface PathNormalization {
  /**
   * A path that servers may read in several ways, where these lead to different routes: `normalize` sends the normal form
   * to the endpoint, if that leads to one route, and refuses it otherwise; `reject` always refuses it; `keep` routes it by
   * its normal form alone.
   */
  readonly ambiguous: 'normalize' | 'reject' | 'keep';
  /** The path sent to endpoints, where nothing else decides: as it was received, or in normal form. */
  readonly forward: 'received' | 'normalized';
}

/** Connections that begin with a PROXY protocol header, which names the client. */
export interface ProxyProtocolSnapshot {
  /** CIDR blocks of the peers whose header is accepted. Peers on a Unix socket always are. */
  readonly trusted: readonly string[];
  /** Treatment of connections from other peers: closed, or served as a client's own, without a header. */
  readonly others: 'close' | 'direct';
  /** From accept to the end of the header. */
  readonly timeoutMs: number;
}

export interface ListenerSnapshot {
  readonly name: string;
  /** Built-in ones in the order of their table, then those of plugins as they are written. */
  readonly policies: readonly PolicySnapshot[];
  /** Index of its lane in shared memory; survives reloads, so it may differ from its position in `Snapshot.listeners`. */
  readonly index: number;
  readonly bind: BindAddress;
  /** Null where connections begin without a PROXY protocol header. */
  readonly proxyProtocol: ProxyProtocolSnapshot | null;
  readonly mode: 'http' | 'tcp';
  /** Whether sessions without TLS of ours are routed by the server name or the protocols in their ClientHello. */
  readonly readsHello: boolean;
  readonly tls: TlsSnapshot | null;
  /** Whether HTTP/2 with prior knowledge is served without TLS, beside HTTP/1.1. */
  readonly http2: boolean;
  /** CIDR blocks of proxies whose X-Forwarded-* fields are trusted. */
  readonly trustedProxies: readonly string[];
  /** Lower-case names of request fields that only trusted proxies may send; `x-a-*` for all that begin with `x-a-`. */
  readonly trustedOnlyFields: readonly string[];
  readonly underscoreFields: UnderscoreFields;
  readonly pathNormalization: PathNormalization;
  readonly limits: ClientLimits;
  readonly timeouts: ClientTimeouts;
}
