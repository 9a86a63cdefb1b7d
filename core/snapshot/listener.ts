// Listeners in the Snapshot: addresses, TLS, and limits and timeouts for clients. Thread: both.

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
