// The contracts that meet in an exchange: the client's side (a downstream adaptor) and the endpoint's side (a
// transport). Calls may come back synchronously, inside the call that caused them. Thread: both.

import type { Failure } from './failure.ts';
import type { FieldList, RequestHead, ResponseHead } from './head.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { UpstreamSnapshot } from './snapshot/upstream.ts';

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
  /** Whether the peer is in the listener's trusted proxies, so that its X-Forwarded-* count. */
  readonly isTrusted: boolean;
}

/** A response that Fairlead makes itself. Only proxy/exchange/local-reply.ts makes them. */
export interface LocalReply {
  readonly status: number;
  readonly reason: string;
  /** Content-Type and others, framing excepted. */
  readonly fields: FieldList;
  readonly body: Uint8Array;
  /** Whether the client's connection must end after it. */
  readonly mustClose: boolean;
}

/** The client's side of one exchange, as the exchange drives it. */
export interface ClientSide {
  readonly connection: ClientConnection;
  /** Whether nothing is told any more after onResponseFlushed, so that the exchange may serve another request. */
  readonly isSilentAfterFlush?: boolean;
  /** Sends an interim response (103, 100). */
  sendInterim(head: ResponseHead): void;
  /** Sends the final head. `extra` fields come in addition to the head's own. */
  sendHead(head: ResponseHead, extra: FieldList): void;
  /** Sends body bytes. Returns false when the client is slower: stop until `onClientDrain`. */
  sendData(chunk: Uint8Array): boolean;
  /** Ends the response. `trailers` are null where there were none. */
  sendEnd(trailers: FieldList | null): void;
  /** Sends a whole response of our own. */
  sendLocalReply(reply: LocalReply): void;
  /**
   * Cuts the response so that the client sees that it is not whole: RST, or RST_STREAM on HTTP/2. Never a clean end:
   * a truncated body must not pass for a complete one (RFC 9112 section 8).
   */
  cut(): void;
  /** Lets request body bytes come, or holds them. They are held at first. */
  resumeBody(): void;
  pauseBody(): void;
}

/** What the client's side tells the exchange. */
export interface ClientEvents {
  onBodyData(chunk: Uint8Array): void;
  onBodyEnd(trailers: FieldList | null): void;
  /** The client can take more after `sendData` had said false. */
  onClientDrain(): void;
  /** The response has been handed to the system whole; bytes are what went over the wire as far as known. */
  onResponseFlushed(): void;
  /**
   * The client has half-closed after its whole request (FIN, or close_notify): it sends nothing more, and may have gone.
   * @param afterMs since its request began
   */
  onClientHalfClosed(afterMs: number): void;
  /** The client went away, or sent something that ends the exchange. Comes at most once, never after the flush. */
  onClientGone(why: ClientGone): void;
}

/** Why a client's side ended before its exchange did. */
export type ClientGone = 'closed' | 'body-timeout' | 'send-timeout' | 'malformed-body' | 'body-too-large';

/** One try of an exchange at one endpoint, as a transport sees it. */
export interface AttemptRequest {
  readonly head: RequestHead;
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  /** Value of the Host field to send. */
  readonly hostField: string;
  /** Fields to send in place of the client's of the same (lower-case) name: [name, value, ...]. */
  readonly insertedFields: FieldList;
  /** Lower-case names of the client's fields that are not passed on. */
  readonly removedFields: ReadonlySet<string>;
  /** Whether only a fresh connection will do: after a stale one failed. */
  readonly mustUseFresh: boolean;
}

/** What a transport tells the exchange about an attempt. After `onEnd` or `onFailure` nothing follows. */
export interface AttemptEvents {
  /** A connection was found: `reused` or freshly made. */
  onLease(reused: boolean): void;
  /** The head is on its way and the body may follow: chunks go to `sendBody`. Not called where there is no body. */
  onBodyWanted(): void;
  /** The endpoint can take more after `sendBody` had said false. */
  onEndpointDrain(): void;
  /** An interim response other than 101 (100 included). */
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** Body bytes. Returns false when the exchange can't take more: hold them until `resume`. */
  onData(chunk: Uint8Array): boolean;
  onEnd(trailers: FieldList | null): void;
  onFailure(failure: Failure): void;
}

/** The handle on an attempt that is under way. */
export interface AttemptHandle {
  /** Sends body bytes. Returns false when the endpoint is slower: stop until `onEndpointDrain`. */
  sendBody(chunk: Uint8Array): boolean;
  endBody(trailers: FieldList | null): void;
  /** Lets response bytes come again after `onData` had said false. */
  resume(): void;
  /** Ends the attempt; its connection is not used again. No event follows. */
  abort(): void;
}

/** The endpoint's side: sends attempts. One per worker. */
export interface Transport {
  /** Begins an attempt. Never throws: what fails is an event. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle;
  /** Installs a new set of endpoints; connections to those that are gone end when idle. */
  update(upstreams: readonly UpstreamSnapshot[]): void;
  /** Closes idle connections to a slot: it is down. */
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

/** What a tunnel tells the exchange. After `onFailure` or `onClosed` nothing follows. */
export interface TunnelEvents {
  /** The connection to the endpoint is made; the request is being sent. */
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
  /** Nothing was relayed to the client yet; the exchange may try elsewhere or answer itself. */
  onFailure(failure: Failure): void;
  /** The tunnel has ended after `onOpen`, or was cut after a part of a refusal was relayed. */
  onClosed(end: TunnelEnd): void;
}

export interface TunnelEnd {
  readonly by: 'client' | 'endpoint' | 'timeout' | 'drain';
  readonly bytesFromClient: number;
  readonly bytesFromEndpoint: number;
}

export interface TunnelHandle {
  /** Ends it without a word, and without an event. */
  abort(): void;
  /** Ends it as a drain does, and says so to both sides. */
  close(): void;
}

/** Relays upgraded connections. One per worker. */
export interface Tunnels {
  open(upgrade: UpgradeRequest, request: AttemptRequest, events: TunnelEvents): TunnelHandle;
  /** Ends all that are still open: the drain deadline has come. */
  closeAll(): void;
}

/** Why a request could not even become an exchange. */
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

/** What downstream adaptors are given: the way into forwarding. */
export interface ExchangeStarter {
  /**
   * Begins an exchange; calls on `client` may come before this returns.
   * @param receivedMs monotonic ms at which the head's first byte came.
   */
  begin(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number): ClientEvents;
  /** Counts and logs a request that isn't one, and says what to answer (the connection ends after it). */
  refuse(connection: ClientConnection, why: Unparsable): LocalReply;
}
