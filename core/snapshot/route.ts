// Routes in the Snapshot: match and action. Thread: both.

import type { Replacement } from '../linear-regex.ts';
import type { Template } from '../template.ts';
import type { PolicySnapshot } from './policy.ts';
import type { RetrySnapshot, UpstreamTimeouts } from './upstream.ts';

/** Comparison with a name or value. */
export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  /** A regular expression of core/linear-regex.ts. */
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' };

export interface NamedMatch {
  /** Lower case for header fields; unchanged for query parameters and cookies. */
  readonly name: string;
  readonly match: ValueMatch;
}

/** Every part that is given must match; an empty match accepts every request. */
export interface RouteMatch {
  /** Lower case; '*.example.com' matches subdomains of any depth; empty for any host. */
  readonly hosts: readonly string[];
  readonly paths: readonly ValueMatch[];
  /** Upper case. */
  readonly methods: readonly string[];
  readonly headers: readonly NamedMatch[];
  readonly query: readonly NamedMatch[];
  /** Names of listeners; empty for all. */
  readonly listeners: readonly string[];
  /** Rarer conditions; absent where there are none. */
  readonly others?: OtherConditions;
}

/** Protocol that a client speaks: the version of HTTP, or what runs over it. */
export type ClientProtocol = 'http1' | 'http2' | 'grpc' | 'websocket';

/** Each part that isn't empty must match. */
export interface OtherConditions {
  readonly cookies: readonly NamedMatch[];
  /** CIDR blocks of the client's address, seen through trusted proxies. */
  readonly clients: readonly string[];
  readonly protocols: readonly ClientProtocol[];
  /** Whether `*.` in the hosts of the match stands for one label only; any depth if absent. */
  readonly isOneLabel?: boolean;
  /** None of these may match. */
  readonly not: readonly RouteMatch[];
}

/** Which files get a Cache-Control field: all, those below a path, or those whose name ends so. The first rule counts. */
export interface CacheRule {
  readonly kind: 'all' | 'prefix' | 'suffix';
  readonly text: string;
  readonly value: string;
}

/** Static files of a directory. */
export interface FilesSnapshot {
  /** Absolute. */
  readonly root: string;
  /** Names to look for in a directory, in this order. */
  readonly index: readonly string[];
  /** File below the root that is sent in place of missing views; '' for none. */
  readonly spaFallback: string;
  /** Codings whose variants may be beside a file, in the order of preference. */
  readonly precompressed: readonly ('zstd' | 'br' | 'gzip')[];
  readonly cacheControl: readonly CacheRule[];
  /** Whether names with a leading dot are served. */
  readonly dotFiles: boolean;
}

/** Action of a route. `upstream` is the `index` of an UpstreamSnapshot, not its position in `Snapshot.upstreams`. */
export type RouteAction = { readonly kind: 'upstream'; readonly upstream: number } | LocalAction | FilesAction;

/** Action of a route that serves files. */
export interface FilesAction {
  readonly kind: 'files';
  readonly files: FilesSnapshot;
}

/** Action of a route that answers by itself with a reply that it configures. */
export type LocalAction =
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly contentType: string;
      readonly body: Template;
      /** Whether each character of the body is one byte of a file, instead of text. */
      readonly isBinary: boolean;
    }
  | {
      readonly kind: 'redirect';
      readonly status: number;
      readonly location: Template;
      /** Replacement in the path that the location gets; absent where the path stays. */
      readonly regex?: { readonly match: string; readonly replacement: Replacement };
    };

/** Shedding order in an overload: `sheddable` requests first, then `default` ones. */
export type Priority = 'critical' | 'default' | 'sheddable';

/** Source of the Host field sent to endpoints. */
export type HostField =
  | { readonly kind: 'client' }
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'fixed'; readonly value: string };

/** Settings of upstreams that a route may replace. Connections are shared by routes: theirs are not among them. */
export interface UpstreamOverrides {
  readonly timeouts: Partial<Pick<UpstreamTimeouts, 'responseMs' | 'idleMs' | 'queueMs' | 'tunnelMs'>>;
  readonly retry: Partial<Omit<RetrySnapshot, 'budgetRatio' | 'budgetMin'>>;
}

export interface UploadSettings {
  /** `Expect: 100-continue`: forwarded, answered with 100 at once, or refused with 417. */
  readonly expect: 'forward' | 'respond' | 'refuse';
  /** Bytes of the body that are received before the request is placed; 0 for none. */
  readonly bufferBytes: number;
}

export interface RouteSnapshot {
  readonly name: string;
  /** Built-in ones in the order of their table, then those of plugins as they are written. */
  readonly policies: readonly PolicySnapshot[];
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly hostField: HostField;
  /** Settings of the upstream that this route replaces; null for none. */
  readonly overrides: UpstreamOverrides | null;
  /** Settings for requests with a body; null for none. */
  readonly upload: UploadSettings | null;
  /** 0 for the limit of the listener. */
  readonly bodyBytes: number;
  readonly priority: Priority;
}

/** Conditions of a TCP route: each part that isn't empty must match. */
export interface TcpConditions {
  /** CIDR blocks of the client's address. */
  readonly clients: readonly string[];
  /** Server names of TLS (SNI), in lower case; `*.example.com` matches subdomains of any depth. */
  readonly serverNames: readonly string[];
  /** Protocols of ALPN, one of which the client offers, or has agreed on with a listener that terminates TLS. */
  readonly alpn: readonly string[];
}

/** A route of TCP listeners: it leads sessions to an upstream. */
export interface TcpRouteSnapshot
  extends TcpConditions,
    Pick<RouteSnapshot, 'name' | 'policies' | 'overrides' | 'priority'> {
  /** Names of listeners; never empty. */
  readonly listeners: readonly string[];
  /** None of these may match. */
  readonly not: readonly TcpConditions[];
  /** `index` of an UpstreamSnapshot. */
  readonly upstream: number;
}
