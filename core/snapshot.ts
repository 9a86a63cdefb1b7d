// The Snapshot: compiled configuration as plain, immutable, cloneable data (docs/design.md 1.6). Thread: both.

/**
 * Where a listener or the admin API binds. A `host` of '' is every address of the machine (IPv6 with IPv4 where there
 * is IPv6, else IPv4): what node:net does when it is given no host. Port 0 lets the system choose.
 */
export type BindAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A socket that was handed over: its descriptor, or the name that systemd gave it. */
  | { readonly kind: 'fd'; readonly fd: number | string };

/** A certificate as PEM text, with the names that it is good for (from its subject alternative names). */
export interface CertificateSnapshot {
  readonly cert: string;
  readonly key: string;
  readonly names: readonly string[];
}

export interface TlsSnapshot {
  readonly certificates: readonly CertificateSnapshot[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whether HTTP/2 is offered by ALPN. */
  readonly http2: boolean;
}

/** Limits on what one client may do. Sizes in bytes. */
export interface ClientLimits {
  readonly headBytes: number;
  readonly headFields: number;
  readonly requestLineBytes: number;
  /** 0 is none. */
  readonly bodyBytes: number;
  /** Client connections per listener, over all workers; 0 is none. */
  readonly connections: number;
  /** Requests on one connection before it is closed (jittered by 10 %); 0 is none. */
  readonly requestsPerConnection: number;
}

/** Patience with a client, in ms. */
export interface ClientTimeouts {
  /** From the first byte of a head to its end, and from the accept to the first byte. */
  readonly headMs: number;
  /** Without a byte of a request's body. */
  readonly bodyIdleMs: number;
  /** Without the client taking a byte of the response. */
  readonly sendIdleMs: number;
  /** Between two requests on a connection. */
  readonly keepAliveMs: number;
  /** TLS handshake. */
  readonly handshakeMs: number;
}

export interface ListenerSnapshot {
  readonly name: string;
  /** Index of its lane in shared memory; stays over reloads, so it need not be its place in `Snapshot.listeners`. */
  readonly index: number;
  readonly bind: BindAddress;
  readonly tls: TlsSnapshot | null;
  /** CIDR blocks whose X-Forwarded-* fields count. */
  readonly trustedProxies: readonly string[];
  /** Whether `Forwarded` (RFC 7239) is sent besides X-Forwarded-*. */
  readonly sendsForwarded: boolean;
  readonly limits: ClientLimits;
  readonly timeouts: ClientTimeouts;
}

/** How a name or value is compared. */
export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'present' };

export interface NamedMatch {
  /** Lower case for header fields; as it is for query parameters. */
  readonly name: string;
  readonly match: ValueMatch;
}

/** All given parts must match; an empty match takes everything. */
export interface RouteMatch {
  /** Lower case; '*.example.com' matches any depth of subdomain; empty is any host. */
  readonly hosts: readonly string[];
  readonly paths: readonly ValueMatch[];
  /** Upper case. */
  readonly methods: readonly string[];
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
  /** Names of listeners; empty is all. */
  readonly listeners: readonly string[];
}

/** What a route does. `upstream` is the `index` of an UpstreamSnapshot, not its place in `Snapshot.upstreams`. */
export type RouteAction =
  | { readonly kind: 'upstream'; readonly upstream: number }
  | { readonly kind: 'respond'; readonly status: number; readonly contentType: string; readonly body: string }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string };

export interface RouteSnapshot {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Fields set on the way to the endpoint and on the way to the client: [name, value, ...]; removed ones by name. */
  readonly requestHeaders: { readonly set: readonly string[]; readonly remove: readonly string[] };
  readonly responseHeaders: { readonly set: readonly string[]; readonly remove: readonly string[] };
  /** Host to send: the client's (null), or the endpoint's own ('endpoint'), or a fixed one. */
  readonly hostField: string | null;
  /** 0: the listener's. */
  readonly bodyBytes: number;
  readonly priority: Priority;
}

/** Which requests are refused first in an overload: `sheddable` ones, then `default` ones. */
export type Priority = 'critical' | 'default' | 'sheddable';

/** What the process protects itself by (docs/algorithms.md 6.2); 0 is no limit. */
export interface OverloadSnapshot {
  /** Heaps and buffers of all workers. */
  readonly memoryBytes: number;
  /** Requests in progress in all workers. */
  readonly requests: number;
  /** Of each worker. */
  readonly eventLoopLagMs: number;
  /** Bodies kept for a retry, over all workers. */
  readonly replayBytes: number;
}

export type HashKey =
  | { readonly kind: 'client-ip' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'query'; readonly name: string };

/** Balancer and its settings; `kind` is the name in the registry. */
export type BalanceSnapshot =
  | { readonly kind: 'least-request' }
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'random'; readonly choices: 1 | 2 }
  | { readonly kind: 'peak-ewma'; readonly decayMs: number; readonly errorPenaltyMs: number }
  | { readonly kind: 'first' }
  | {
      readonly kind: 'consistent-hash';
      readonly key: HashKey;
      /** 0 is off; otherwise at least 1. */
      readonly boundedLoad: number;
      readonly tableSize: number;
      readonly seed: number;
    };

export interface EndpointSnapshot {
  /** `upstream/host:port`: how operators name it. */
  readonly name: string;
  /** `host:port` or the socket's path: what hashing sorts by. */
  readonly id: string;
  readonly slot: number;
  /** Generation of the slot, so that a late event of an earlier owner is told apart. */
  readonly generation: number;
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; '' for TCP. */
  readonly socketPath: string;
  readonly weight: number;
  readonly backup: boolean;
}

export interface HeartbeatSnapshot {
  readonly kind: 'http' | 'tcp' | 'grpc';
  /** Of a gRPC heartbeat: the service that is asked about; '' is the whole endpoint. */
  readonly service: string;
  /** Regular expression that the first 16 KiB of the body must match; '' is none. */
  readonly bodyPattern: string;
  /** Fields that the answer must carry: [name, value, ...], names in lower case. */
  readonly expectedFields: readonly string[];
  /** Whether the answer may set the endpoint's weight or ask to be drained (field X-Fairlead-Agent). */
  readonly takesAgentWords: boolean;
  readonly path: string;
  readonly method: string;
  /** Host field of the heartbeat; '' is the endpoint's own. */
  readonly host: string;
  /** Ranges of statuses that are good: [from, to, from, to, ...] inclusive. */
  readonly statuses: readonly number[];
  /** 0: the endpoint's own port. */
  readonly port: number;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export interface PassiveSnapshot {
  /** 0 turns ejection by consecutive failures off. */
  readonly consecutiveFailures: number;
  readonly ejectionBaseMs: number;
  readonly ejectionMaxMs: number;
  readonly maxEjectedPercent: number;
  /** The pooled test against the other endpoints (docs/algorithms.md 3.2); null turns it off. */
  readonly outliers: {
    readonly intervalMs: number;
    readonly minRequests: number;
    readonly minGap: number;
    readonly sigmas: number;
  } | null;
}

/** A second try beside the first, for GET and HEAD: after a fixed time, or the upstream's own percentile. */
export interface HedgeSnapshot {
  /** 0: by percentile. */
  readonly afterMs: number;
  /** 0..1, as in 0.95; 0: by time. */
  readonly percentile: number;
}

/** The cookie that keeps a client at its endpoint (docs/algorithms.md 5.1). */
export interface StickySnapshot {
  readonly cookie: string;
  /** The first signs; all verify. */
  readonly secrets: readonly string[];
  /** Without a request of the client; 0 is without end. */
  readonly maxIdleMs: number;
  /** Of a session, however often it is renewed; 0 is without end. */
  readonly maxLifeMs: number;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly isHttpOnly: boolean;
  /** Whether endpoints get the cookie too. */
  readonly isPassedOn: boolean;
  /** auto: on TLS listeners. */
  readonly secure: 'auto' | 'always' | 'never';
}

/** What may be tried again. */
export interface RetrySnapshot {
  /** Tries in addition to the first one. */
  readonly attempts: number;
  readonly onConnectFailure: boolean;
  readonly onReset: boolean;
  readonly onTimeout: boolean;
  readonly statuses: readonly number[];
  /** 0: half the response timeout. Cuts a try only where another may follow. */
  readonly perTryTimeoutMs: number;
  readonly budgetRatio: number;
  readonly budgetMin: number;
  readonly bufferBytes: number;
}

/** Patience with endpoints, in ms; 0 is none. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the head of the response. */
  readonly responseMs: number;
  /** Between two bytes of a response, or of a request's body that the endpoint doesn't take. */
  readonly idleMs: number;
  readonly queueMs: number;
  /** Of an upgraded connection without a byte in either direction. */
  readonly tunnelMs: number;
  /** How long a connection to an endpoint is kept idle, unless the endpoint hints otherwise. */
  readonly keepAliveMs: number;
}

export interface UpstreamSnapshot {
  readonly name: string;
  /** Index of its record in shared memory; stays over reloads. */
  readonly index: number;
  readonly balance: BalanceSnapshot;
  readonly endpoints: readonly EndpointSnapshot[];
  readonly heartbeat: HeartbeatSnapshot | null;
  readonly passive: PassiveSnapshot;
  readonly retry: RetrySnapshot;
  readonly timeouts: UpstreamTimeouts;
  readonly limits: {
    readonly maxConnections: number;
    readonly maxQueue: number;
    readonly maxIdle: number;
    /** Whether each endpoint's limit follows its latency (docs/algorithms.md 6.2); maxConnections is the upper bound then. */
    readonly isAdaptive: boolean;
  };
  readonly hedge: HedgeSnapshot | null;
  readonly sticky: StickySnapshot | null;
  /** What happens when no endpoint is usable: 503 at once, all are tried whatever their state, or requests wait. */
  readonly whenAllDown: 'fail' | 'try-all' | 'wait';
  /** How long a returning endpoint's weight ramps up; 0 is not at all. */
  readonly slowStartMs: number;
  /** Backups help when the usable share of the primaries' weight is below this; 0: only when none is usable. */
  readonly backupBelowPercent: number;
  /** TLS to endpoints: whether their certificates are verified, the CAs (PEM) and the name; '' is the URL's host. */
  readonly tls: { readonly verify: boolean; readonly ca: readonly string[]; readonly serverName: string };
  /** Largest response head that is accepted, in bytes. */
  readonly responseHeadBytes: number;
}

export type AccessLogFormat = 'json' | 'haproxy' | 'combined';

export interface AccessLogSnapshot {
  readonly format: AccessLogFormat;
  /** 'stdout', 'stderr' or a file's path. */
  readonly output: string;
}

/** Where the admin API is, and who may use it. */
export interface AdminSnapshot {
  readonly bind: BindAddress;
  /** Empty: none is needed. Of each the SHA-256 in hex. */
  readonly tokens: readonly { readonly name: string; readonly role: 'read' | 'write'; readonly digest: string }[];
  /** PEM texts. With `clientCa`, clients need a certificate of one of its CAs. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | null } | null;
  /** Names that Host may be besides localhost and addresses, lower case. */
  readonly hosts: readonly string[];
  /** Paths that need no token. */
  readonly open: readonly string[];
}

export interface Snapshot {
  readonly generation: number;
  readonly workers: number;
  readonly fastPath: boolean;
  readonly listeners: readonly ListenerSnapshot[];
  readonly routes: readonly RouteSnapshot[];
  readonly upstreams: readonly UpstreamSnapshot[];
  readonly overload: OverloadSnapshot;
  readonly admin: AdminSnapshot | null;
  readonly accessLog: AccessLogSnapshot | null;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
  /** How long a drain says that it isn't ready before it stops accepting, in ms. */
  readonly drainDelayMs: number;
  /** How long a drain waits for exchanges in flight after that, in ms. */
  readonly graceMs: number;
  readonly reload: {
    /** What streams and tunnels of an endpoint that a reload took away have left, in ms. */
    readonly drainMs: number;
    /** What everything has left that began before a reload, in ms; 0 is no limit. */
    readonly hardStopMs: number;
  };
  /** Where the state of endpoints is kept over a restart, by its absolute path; null keeps none. */
  readonly healthState: { readonly file: string; readonly maxAgeMs: number } | null;
}
