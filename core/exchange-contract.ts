// Contracts of an exchange: the client side (a downstream adaptor) and the endpoint side (a transport). Events may be
// delivered synchronously, inside the call that caused them. Thread: both.

import type { AmendedUpstream } from './endpoint-delta.ts';
import type { Failure } from './failure.ts';
import type { FieldList, RequestHead, ResponseHead } from './head.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { UpstreamSnapshot } from './snapshot/upstream.ts';

/** A client's certificate, in printable ASCII. */
export interface ClientCertificate {
  /** Distinguished names on one line, such as `CN=app,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names as OpenSSL prints them: `DNS:app.example.com, URI:spiffe://...`; '' for none. */
  readonly san: string;
  /** In hexadecimal digits. */
  readonly serial: string;
  /** SHA-256, in lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** In DER, as a byte sequence of structured fields: the value of Client-Cert (RFC 9440). */
  readonly certificate: string;
}

/** Values of the PROXY protocol header with which a connection began; '' where it has none. */
export interface ProxiedValues {
  /** Server name that the client requested of the sender. */
  readonly authority: string;
  /** Protocol that the sender has agreed with the client by ALPN. */
  readonly alpn: string;
  /** Printable: in hexadecimal digits where the id itself isn't. */
  readonly uniqueId: string;
}

/** Facts about a client's connection: true for every exchange on it. */
export interface ClientConnection {
  /** Index of the listener in the Snapshot, and its name. */
  readonly listenerIndex: number;
  readonly listenerName: string;
  /** Address of the peer; '' on a Unix socket. Before any trust in X-Forwarded-For. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localPort: number;
  readonly isTls: boolean;
  /** Version of TLS such as `TLSv1.3`; '' without TLS. */
  readonly tlsVersion: string;
  /** The verified certificate of a TLS client; null or absent where it has sent none. */
  readonly certificate?: ClientCertificate | null;
  /** Whether the peer is in the listener's trusted proxies, so that its X-Forwarded-* are used. */
  readonly isTrusted: boolean;
  /** Address that the client connected to; '' on a Unix socket. Costs a system call. */
  readonly localAddress: string;
  /** Name that the client requested in its TLS handshake (SNI); '' where it named none. */
  readonly serverName: string;
  /** Protocol that ALPN has chosen, here or at the sender of a PROXY protocol header; absent or '' without one. */
  readonly alpn?: string;
  /** Offered by ALPN in a ClientHello that is passed on, else the one protocol agreed on; absent or empty without ALPN. */
  readonly protocols?: readonly string[];
  /** Null or absent where the connection began without a PROXY protocol header. */
  readonly proxied?: ProxiedValues | null;
  /** Calls back when the connection has closed; for one owner once, and the last callback counts. */
  onceClosed(owner: object, callback: () => void): void;
}

/** The client of a request, as PROXY protocol headers name it to endpoints. */
export interface RequestOrigin {
  readonly connection: ClientConnection;
  /** Behind trusted proxies; '' where there is none. */
  readonly clientAddress: string;
  readonly requestId: string;
}

/** A response that Fairlead generates. Only proxy/exchange/local-reply.ts creates them. */
export interface LocalReply {
  readonly status: number;
  readonly reason: string;
  /** Content-Type and others, without framing fields. */
  readonly fields: FieldList;
  readonly body: Uint8Array;
  /** Whether the client's connection must end after it. */
  readonly mustClose: boolean;
}

/** The client's side of one exchange, as the exchange drives it. */
export interface ClientSide {
  readonly connection: ClientConnection;
  /** Whether no event follows onResponseFlushed, so that the exchange object may be reused. */
  readonly isSilentAfterFlush?: boolean;
  /** Sends an interim response: 100 once, none to HTTP/1.0. */
  sendInterim(head: ResponseHead): void;
  /** Sends the final head. `extra` fields are added to the head's own. */
  sendHead(head: ResponseHead, extra: FieldList): void;
  /** Sends body bytes. Returns false if the client is slower: stop until `onClientDrain`. */
  sendData(chunk: Uint8Array): boolean;
  /** Ends the response, and the request body unless it is kept. `trailers` is null if there are none. */
  sendEnd(trailers: FieldList | null): void;
  /**
   * Keeps the request body beyond the end of the response, until `releaseBody`; onResponseFlushed doesn't come before that.
   * Absent where the client side can't.
   */
  keepBody?(): void;
  /** A kept body has ended, or the endpoint takes no more of it. */
  releaseBody?(): void;
  /** Sends a local reply. */
  sendLocalReply(reply: LocalReply): void;
  /**
   * Aborts the response visibly, by RST or RST_STREAM (HTTP/2). Never a clean end: a truncated body must not be mistaken
   * for a complete one (RFC 9112 section 8).
   */
  cut(): void;
  /** Resumes or pauses the request body. It is paused at first. */
  resumeBody(): void;
  pauseBody(): void;
}

/** Events of the client side. */
export interface ClientEvents {
  onBodyData(chunk: Uint8Array): void;
  onBodyEnd(trailers: FieldList | null): void;
  /** The client can take more after `sendData` returned false. */
  onClientDrain(): void;
  /** The whole response has been handed to the operating system. */
  onResponseFlushed(): void;
  /**
   * The client has half-closed after its whole request (FIN, or close_notify): it sends nothing more, and may have closed.
   * @param afterMs since its request began
   */
  onClientHalfClosed(afterMs: number): void;
  /** The client closed, or sent something that ends the exchange. At most once, and never after the flush. */
  onClientGone(why: ClientGone): void;
}

/** Reasons for which a client side ends before its exchange. */
export type ClientGone = 'closed' | 'body-timeout' | 'send-timeout' | 'malformed-body' | 'body-too-large';

/** The request of one attempt, for a transport. */
export interface AttemptRequest {
  readonly head: RequestHead;
  /** Path and query to send in place of the head's; null or absent sends those. */
  readonly target?: string | null;
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  /** Value of the Host field to send. */
  readonly hostField: string;
  /** Fields to send in place of the client's of the same (lower-case) name: [name, value, ...]. */
  readonly insertedFields: FieldList;
  /** Lower-case names of the client's fields that are not forwarded. */
  readonly removedFields: ReadonlySet<string>;
  /** Whether the attempt needs a new connection: a stale one has failed before. */
  readonly mustUseFresh: boolean;
  /** Read before the attempt is over only. */
  readonly origin: RequestOrigin;
}

/** Times that a new connection took, in ms. */
export interface DialTimes {
  /** Name look-up and TCP. */
  readonly connectMs: number;
  /** TLS handshake; 0 without TLS. */
  readonly tlsMs: number;
}

/** Events of an attempt. None follows `onEnd` or `onFailure`. */
export interface AttemptEvents {
  /** A connection was made for this attempt; for tracing alone. `onLease` follows. */
  onDialled?(times: DialTimes): void;
  /** A connection was leased: a `reused` or a new one. */
  onLease(reused: boolean): void;
  /** The head was sent and the body may follow: chunks go to `sendBody`. Not called for requests without a body. */
  onBodyWanted(): void;
  /** The endpoint can take more after `sendBody` returned false. */
  onEndpointDrain(): void;
  /** An interim response other than 101 (100 included). */
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** Body bytes. Returns false if the exchange can't take more: hold them until `resume`. */
  onData(chunk: Uint8Array): boolean;
  /**
   * The response is complete before the request body, and the endpoint may still read the rest. Absent: none follows.
   * @returns whether the rest follows; the last event comes once that has ended
   */
  onEarlyEnd?(trailers: FieldList | null): boolean;
  onEnd(trailers: FieldList | null): void;
  onFailure(failure: Failure): void;
}

/** The handle of a running attempt. */
export interface AttemptHandle {
  /** Protocol of its connection. */
  readonly protocol: 'http1' | 'http2';
  /** Sends body bytes. Returns false if the endpoint is slower: stop until `onEndpointDrain`. */
  sendBody(chunk: Uint8Array): boolean;
  endBody(trailers: FieldList | null): void;
  /** Resumes the response after `onData` returned false. */
  resume(): void;
  /** Cancels the attempt; its connection is not used again. No event follows. */
  abort(): void;
}

/** The endpoint side: sends attempts. One per worker. */
export interface Transport {
  /** Begins an attempt. Never throws: failures are events. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle;
  /** Installs a new set of endpoints; connections to removed ones close when idle. */
  update(upstreams: readonly UpstreamSnapshot[]): void;
  /** Installs other endpoints of some upstreams. */
  amend(upstreams: readonly AmendedUpstream[]): void;
  /** Closes idle connections to a slot whose endpoint is down. */
  dropIdle(slot: number): void;
  /** Closes everything. */
  close(): Promise<void>;
}

/** An HTTP/1.1 Upgrade request. The downstream adaptor's implementation carries the connection for the tunnel. */
export interface UpgradeRequest {
  /** Value of the Upgrade field: the protocols that the client offers. */
  readonly protocols: string;
  /** Bytes received after the head. */
  readonly firstBytes: Uint8Array;
}

/** Changes to the head of a response. */
export interface HeadChanges {
  readonly inserted: FieldList;
  /** Lower case. */
  readonly removed: ReadonlySet<string>;
}

/** Events of a tunnel. None follows `onFailure` or `onClosed`. */
export interface TunnelEvents {
  /** See AttemptEvents. */
  onDialled?(times: DialTimes): void;
  /** The connection to the endpoint is established; the request is being sent. */
  onLease(reused: boolean): void;
  /**
   * The endpoint's 101 or final response, before any of it is relayed.
   * @returns the changes to its head; null if the exchange has ended the attempt instead
   */
  onTunnelHead(head: ResponseHead): HeadChanges | null;
  /** The endpoint switched protocols and bytes flow both ways; the 101 has been relayed. */
  onOpen(): void;
  /** The endpoint answered with a final status instead; it has been relayed whole. */
  onRefused(status: number): void;
  /** Nothing was relayed to the client yet: the exchange may retry or send a local reply. */
  onFailure(failure: Failure): void;
  /** The tunnel has ended after `onOpen`, or was cut after part of a refusal was relayed. */
  onClosed(end: TunnelEnd): void;
}

export interface TunnelEnd {
  readonly by: 'client' | 'endpoint' | 'timeout' | 'drain';
  readonly bytesFromClient: number;
  readonly bytesFromEndpoint: number;
}

export interface TunnelHandle {
  /** Protocol of the connection to the endpoint. */
  readonly protocol: 'http1' | 'http2';
  /** Closes it at once. No event follows. */
  abort(): void;
  /** Closes it as a drain does, with a close frame to both sides of a WebSocket. */
  close(): void;
}

/** Relays upgraded connections. One per worker. */
export interface Tunnels {
  open(upgrade: UpgradeRequest, request: AttemptRequest, events: TunnelEvents): TunnelHandle;
  /** Closes all open ones at the drain deadline. */
  closeAll(): void;
}

/** Reasons for which a request never becomes an exchange. */
export type Unparsable =
  | 'malformed'
  | 'head-too-large'
  | 'too-many-fields'
  | 'target-too-long'
  | 'head-timeout'
  | 'version-not-supported'
  | 'expectation-unknown'
  | 'coding-unknown'
  | 'method-not-served';

/** The entry of forwarding, for downstream adaptors. */
export interface ExchangeStarter {
  /**
   * Begins an exchange; it may call `client` before this returns.
   * @param receivedMs monotonic ms at which the head's first byte was received
   */
  begin(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number): ClientEvents;
  /** Counts and logs an unparsable request. Returns the reply; the connection closes after it. */
  refuse(connection: ClientConnection, why: Unparsable): LocalReply;
}
