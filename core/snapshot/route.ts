// Routes in the Snapshot: match and action. Thread: both.

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

/** Which requests are refused first in an overload: `sheddable` ones, then `default` ones. */
export type Priority = 'critical' | 'default' | 'sheddable';

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
