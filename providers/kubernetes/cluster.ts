// The objects of a cluster that routes are made from, kept current by watches. Thread: main.

import type { AccessSettings } from '../../discovery/kubernetes/access-settings.ts';
import type { ApiObject } from '../../discovery/kubernetes/api-object.ts';
import { watchList } from '../../discovery/kubernetes/shared-lists.ts';
import type { Objects } from '../../discovery/kubernetes/watched-list.ts';
import type { ProviderContext } from '../provider.ts';

/** A kind of objects. */
interface Kind {
  /** Path of the group and version. */
  readonly api: string;
  readonly resource: string;
  readonly isNamespaced: boolean;
  readonly query?: string;
}

const NETWORKING = '/apis/networking.k8s.io/v1';
const GATEWAY = '/apis/gateway.networking.k8s.io/v1';
const GATEWAY_BETA = '/apis/gateway.networking.k8s.io/v1beta1';
const TLS_SECRETS = `fieldSelector=${encodeURIComponent('type=kubernetes.io/tls')}`;

export const KINDS = {
  services: { api: '/api/v1', resource: 'services', isNamespaced: true },
  secrets: { api: '/api/v1', resource: 'secrets', isNamespaced: true, query: TLS_SECRETS },
  namespaces: { api: '/api/v1', resource: 'namespaces', isNamespaced: false },
  ingressClasses: { api: NETWORKING, resource: 'ingressclasses', isNamespaced: false },
  ingresses: { api: NETWORKING, resource: 'ingresses', isNamespaced: true },
  gatewayClasses: { api: GATEWAY, resource: 'gatewayclasses', isNamespaced: false },
  gateways: { api: GATEWAY, resource: 'gateways', isNamespaced: true },
  httpRoutes: { api: GATEWAY, resource: 'httproutes', isNamespaced: true },
  referenceGrants: { api: GATEWAY_BETA, resource: 'referencegrants', isNamespaced: true },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

/** Objects by kind, and by `namespace/name`. Kinds that aren't watched are empty. */
export type Cluster = Readonly<Record<KindName, ReadonlyMap<string, ApiObject>>>;

const EMPTY_CLUSTER = Object.fromEntries(
  Object.keys(KINDS).map((name) => [name, new Map<string, ApiObject>()]),
) as unknown as Cluster;

export interface ClusterWatchParts {
  readonly access: AccessSettings;
  readonly kinds: readonly KindName[];
  /** Empty for all. */
  readonly namespaces: readonly string[];
  readonly context: ProviderContext;
  /** Everything is known; called again after changes. */
  readonly onCluster: (cluster: Cluster, version: string) => void;
  readonly onFailure: (cause: string) => void;
}

/** Changes within this time are taken together. */
const SETTLE_MS = 20;

export class ClusterWatch {
  readonly #parts: ClusterWatchParts;
  readonly #stops: (() => void)[] = [];
  /** By kind, then by path of the list; null where it isn't known yet. */
  readonly #lists = new Map<KindName, Map<string, Objects | null>>();
  readonly #failures = new Map<string, string>();
  #timer: ReturnType<ProviderContext['timers']['after']> | null = null;
  #version = '';

  constructor(parts: ClusterWatchParts) {
    this.#parts = parts;
    for (const kind of parts.kinds) {
      const paths = pathsOf(KINDS[kind], parts.namespaces);
      this.#lists.set(kind, new Map(paths.map((path) => [path, null])));
    }
    for (const [kind, lists] of this.#lists) for (const path of lists.keys()) this.#watch(kind, path);
  }

  stop(): void {
    this.#timer?.cancel();
    for (const stop of this.#stops) stop();
  }

  #watch(kind: KindName, path: string): void {
    const { access, context, onFailure } = this.#parts;
    const { query = '' }: Kind = KINDS[kind];
    const listener = {
      onObjects: (objects: Objects, version: string): void => {
        this.#failures.delete(path);
        this.#lists.get(kind)!.set(path, objects);
        this.#version = version;
        this.#timer ??= context.timers.after(SETTLE_MS, () => {
          this.#timer = null;
          this.#settle();
        });
      },
      onFailure: (cause: string): void => {
        this.#failures.set(path, cause);
        onFailure(cause);
      },
    };
    this.#stops.push(watchList({ access, path, query }, context, listener));
  }

  #settle(): void {
    const found: Partial<Record<KindName, ReadonlyMap<string, ApiObject>>> = {};
    for (const [kind, lists] of this.#lists) {
      const all = [...lists.values()];
      if (all.includes(null)) return;
      found[kind] = new Map(all.flatMap((objects) => [...objects!]));
    }
    this.#parts.onCluster({ ...EMPTY_CLUSTER, ...found }, this.#version);
    // A list that can't be kept current makes the whole stale, although others have changed.
    const [cause] = this.#failures.values();
    if (cause !== undefined) this.#parts.onFailure(cause);
  }
}

function pathsOf({ api, resource, isNamespaced }: Kind, namespaces: readonly string[]): string[] {
  if (!isNamespaced || namespaces.length === 0) return [`${api}/${resource}`];
  return namespaces.map((namespace) => `${api}/namespaces/${namespace}/${resource}`);
}

/** Older objects have precedence; then the order of `namespace/name`. */
export function compareAge(a: ApiObject, b: ApiObject): number {
  return compareTexts(ageOf(a), ageOf(b));
}

function ageOf(object: ApiObject): string {
  const { creationTimestamp = '', namespace = '', name = '' } = (object['metadata'] ?? {}) as Record<string, string>;
  return `${creationTimestamp} ${namespace}/${name}`;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
