// Contract of a policy in a worker: the hooks that it may have, and what an exchange offers to them. Thread: both.

import type { ClientConnection } from '../exchange-contract.ts';
import type { ExchangeRecord } from '../exchange-record.ts';
import type { FieldList, RequestHead, ResponseHead } from '../head.ts';
import type { EndpointSnapshot } from '../snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../snapshot/upstream.ts';

/** Fields to set, [name, value, ...], in place of those of the same name, and names of fields to remove. */
export interface FieldEdits {
  readonly set: FieldList;
  readonly remove: readonly string[];
}

/** A response that a policy makes in place of forwarding the request. */
export interface PolicyReply {
  readonly status: number;
  /** Content-Type and others; framing is Fairlead's. */
  readonly fields?: FieldList;
  readonly body?: string | Uint8Array;
  /** Whether the client's connection closes after it. */
  readonly mustClose?: boolean;
}

/** A reply of Fairlead's own that built-in policies request by its cause (proxy/exchange/local-reply.ts). */
export interface CausedReply {
  readonly cause: RefusalCause;
  /** Fields beside those of the cause, such as WWW-Authenticate. */
  readonly fields?: FieldList;
}

/** Causes for which built-in policies refuse requests. */
export type RefusalCause =
  | 'shed'
  | 'address-denied'
  | 'no-host'
  | 'rate-limited'
  | 'client-busy'
  | 'response-too-large'
  | 'unauthenticated'
  | 'auth-busy'
  | 'auth-unavailable'
  | 'ambiguous-path'
  | 'maintenance';

/** Outcome of a hook that may answer: nothing continues. */
export type PolicyAnswer = PolicyReply | CausedReply | undefined;

/** A response that Fairlead is about to send itself, as `onLocalReply` gets it. */
export interface PendingReply {
  readonly status: number;
  /** Why it is sent: a code such as `no-endpoint` or `queue-full`; `configured` or `policy` for a deliberate answer. */
  readonly cause: string;
  readonly fields: FieldList;
  readonly body: Uint8Array;
}

/** Direction of a body. */
export type BodyDirection = 'request' | 'response';

/** Receives the output of a body transform: the next transform, or the client. Calls after `end`, `fail`, `cut` or `cancel` do nothing. */
export interface BodySink {
  /** Passes bytes on; they may not change afterwards. Returns false where the receiver takes no more: stop until `resume`. */
  data(chunk: Uint8Array): boolean;
  /** The transform takes input again after `write` returned false. */
  ready(): void;
  /** All output has been passed on. */
  end(): void;
  /** The output can't be completed: the response is cut, and the error counted as the policy's. */
  fail(error: unknown): void;
  /** The body must not be completed: the response is cut, counted as refused by the policy, and the reason logged. */
  cut(reason: string): void;
}

/** How a transform treats the body. */
export interface TransformOptions {
  /** Whether it passes on the same bytes, only later or fewer: the length of the body is announced as received. */
  readonly keepsBody?: boolean;
}

/** A transform of one response body. It may call its sink at any time, within calls or later. */
export interface BodyTransform {
  /** Takes bytes, which are valid during the call alone. Returns false where it takes no more: none follows until `ready`. */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. `BodySink.end` follows once the output is. */
  end(): void;
  /** The receiver takes output again. */
  resume(): void;
  /** The exchange has ended before its response: free what the transform holds. */
  cancel(): void;
}

/**
 * An exchange as policies use it. Valid from `onRequest` to `onEnd`, and no longer: the object serves another exchange
 * afterwards. Edits throw a TypeError for what would break the message: names and values that are none, and fields
 * that belong to the connection, to framing or to Fairlead.
 */
export interface PolicyExchange {
  readonly connection: ClientConnection;
  /** The request as the client sent it. */
  readonly request: RequestHead;
  readonly requestId: string;
  /** Address of the client behind trusted proxies. */
  readonly clientAddress: string;
  readonly routeName: string;
  /** '' where the route answers by itself. */
  readonly upstreamName: string;
  /** Endpoint of the present attempt; null before the first one is placed. */
  readonly endpoint: EndpointSnapshot | null;
  /** Attempts so far, the present one included. */
  readonly attempts: number;
  /** The final response of the endpoint; null before `onResponse`. */
  readonly response: ResponseHead | null;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Data that this policy keeps about this exchange; undefined at first. Each policy has its own. */
  memo: unknown;

  /** Value of a request field as the endpoint would get it now, edits applied. @param name lower case */
  requestField(name: string): string | undefined;
  /** Sets a field of the request, in place of all of the same name. */
  setRequestField(name: string, value: string): void;
  /** Adds a line and keeps those of the same name. */
  addRequestField(name: string, value: string): void;
  removeRequestField(name: string): void;
  /** Replaces path and query. Needs `change-target`. */
  setTarget(target: string): void;
  /** Sends the request to another upstream. Needs `choose-upstream`. @throws RangeError where there is none of the name */
  chooseUpstream(name: string): void;

  /** Value of a response field as the client would get it now, edits applied. @param name lower case */
  responseField(name: string): string | undefined;
  setResponseField(name: string, value: string): void;
  addResponseField(name: string, value: string): void;
  removeResponseField(name: string): void;
  /**
   * Passes the body of the endpoint's response through a transform; its length is no longer announced. For `onResponse`
   * only; needs `transform-response-body`. `open` is called once the response is about to be relayed, and not for HEAD.
   * @returns false where nothing is transformed: 204, 304, and responses to Upgrade requests
   */
  transformBody(open: (sink: BodySink) => BodyTransform, options?: TransformOptions): boolean;
}

/**
 * A policy of one route, listener or upstream in one worker, made by its definition's `create` for one Runtime. Hooks
 * are optional and run on the request path: they return quickly and never block. An exception in a hook answers 500.
 */
export interface Policy {
  /** Edits that are the same for every exchange: merged when the Runtime is built, and free per request. */
  readonly requestFields?: FieldEdits;
  readonly responseFields?: FieldEdits;
  /**
   * A request has been routed. Returns a reply to answer it, nothing to continue, or a promise of either (needs `wait`);
   * the exchange waits for it, up to the definition's `waitMs`.
   */
  onRequest?(exchange: PolicyExchange): PolicyAnswer | Promise<PolicyAnswer>;
  /** An endpoint was chosen and the request is about to be sent; runs for each attempt, whose edits are its own. */
  onPlaced?(exchange: PolicyExchange): void;
  /** The final response's head arrived and no retry follows. A reply is sent in its place. */
  onResponse?(exchange: PolicyExchange): PolicyAnswer;
  /** Fairlead answers by itself. Returns a reply to send in place of this one, or nothing to leave it. */
  onLocalReply?(exchange: PolicyExchange, reply: PendingReply): PolicyReply | undefined;
  /**
   * Body bytes pass, in the directions that the definition needs (`read-request-body`, `read-response-body`,
   * `change-response-body`). `chunk` is empty in the last call of a direction.
   * @returns the bytes to pass on in its place (`change-response-body` only); nothing leaves them as they are
   */
  onBodyChunk?(
    exchange: PolicyExchange,
    chunk: Uint8Array,
    direction: BodyDirection,
    isLast: boolean,
  ): Uint8Array | undefined;
  /** The exchange has ended, however it ended. */
  onEnd?(exchange: PolicyExchange, record: ExchangeRecord): void;
  /** The upstream that it is configured on has other endpoints. Outside of any exchange; must not throw. */
  onEndpoints?(upstream: UpstreamSnapshot): void;
  /** The Runtime that this was made for is no longer in use. */
  dispose?(): void;
}
