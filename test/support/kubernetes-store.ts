// Objects of a Kubernetes API server for tests: resource versions, conflicts, and the history that watches continue from,
// as the API's documentation describes them. Thread: main.

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

export interface Resource {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly shortNames?: readonly string[];
}

const GATEWAY = 'gateway.networking.k8s.io';

export const RESOURCES: readonly Resource[] = [
  { group: '', version: 'v1', plural: 'services', kind: 'Service', isNamespaced: true, shortNames: ['svc'] },
  { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', isNamespaced: true },
  { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', isNamespaced: false, shortNames: ['ns'] },
  { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', kind: 'EndpointSlice', isNamespaced: true },
  { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress', isNamespaced: true },
  { group: 'networking.k8s.io', version: 'v1', plural: 'ingressclasses', kind: 'IngressClass', isNamespaced: false },
  { group: GATEWAY, version: 'v1', plural: 'gatewayclasses', kind: 'GatewayClass', isNamespaced: false },
  { group: GATEWAY, version: 'v1', plural: 'gateways', kind: 'Gateway', isNamespaced: true },
  { group: GATEWAY, version: 'v1', plural: 'httproutes', kind: 'HTTPRoute', isNamespaced: true },
  { group: GATEWAY, version: 'v1beta1', plural: 'referencegrants', kind: 'ReferenceGrant', isNamespaced: true },
];

export interface WatchEvent {
  readonly version: number;
  readonly resource: Resource;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
}

/** An error as the API reports it: a Status object. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  get status(): object {
    const { code, reason, message } = this;
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  }
}

export class KubernetesStore {
  /** Of the newest change. */
  version = 1_000;
  readonly #objects = new Map<Resource, Map<string, KubernetesObject>>(RESOURCES.map((one) => [one, new Map()]));
  #history: WatchEvent[] = [];
  /** Versions before this one are compacted. */
  #oldest = 1_000;
  readonly onEvent = new Set<(event: WatchEvent) => void>();

  list(resource: Resource, namespace: string): KubernetesObject[] {
    const all = [...this.#objects.get(resource)!.values()];
    const found = all.filter(({ metadata }) => namespace === '' || metadata.namespace === namespace);
    return found.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** @throws StatusError */
  get(resource: Resource, namespace: string, name: string): KubernetesObject {
    const found = this.#objects.get(resource)!.get(namespace === '' ? name : `${namespace}/${name}`);
    if (found !== undefined) return found;
    throw new StatusError(404, 'NotFound', `${resource.plural} "${name}" not found`);
  }

  create(resource: Resource, given: KubernetesObject): KubernetesObject {
    const { group, version, kind } = resource;
    if (this.#objects.get(resource)!.has(keyOf(given))) {
      const message = `${resource.plural} "${given.metadata.name}" already exists`;
      throw new StatusError(409, 'AlreadyExists', message);
    }
    const metadata = { uid: crypto.randomUUID(), creationTimestamp: new Date().toISOString(), generation: 1 };
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return this.#store('ADDED', resource, {
      ...given,
      apiVersion,
      kind,
      metadata: { ...metadata, ...given.metadata },
    });
  }

  /** Replaces an object; the generation counts changes outside of metadata and status. @throws StatusError */
  replace(resource: Resource, given: KubernetesObject): KubernetesObject {
    const { namespace = '', name, resourceVersion } = given.metadata;
    const before = this.get(resource, namespace, name);
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw new StatusError(409, 'Conflict', `${resource.plural} "${name}": the object has been modified`);
    }
    const isSame = JSON.stringify(specOf(before)) === JSON.stringify(specOf(given));
    const generation = (before.metadata.generation ?? 1) + (isSame ? 0 : 1);
    const { uid, creationTimestamp } = before.metadata;
    const metadata = { ...given.metadata, uid, creationTimestamp, generation } as KubernetesObject['metadata'];
    const { apiVersion, kind } = before as Required<KubernetesObject>;
    return this.#store('MODIFIED', resource, { ...given, apiVersion, kind, metadata });
  }

  remove(resource: Resource, namespace: string, name: string): KubernetesObject {
    const object = this.get(resource, namespace, name);
    return this.#store('DELETED', resource, object);
  }

  /** Events after a version. @throws StatusError 410 where they are compacted */
  since(version: number): readonly WatchEvent[] {
    if (version >= this.#oldest) return this.#history.filter((event) => event.version > version);
    throw new StatusError(410, 'Expired', `too old resource version: ${version} (${this.#oldest})`);
  }

  /** Forgets the history: older versions are gone. */
  compact(): void {
    this.version++;
    this.#oldest = this.version;
    this.#history = [];
  }

  #store(type: WatchEvent['type'], resource: Resource, given: KubernetesObject): KubernetesObject {
    const version = ++this.version;
    const object = { ...given, metadata: { ...given.metadata, resourceVersion: String(version) } };
    if (type === 'DELETED') this.#objects.get(resource)!.delete(keyOf(object));
    else this.#objects.get(resource)!.set(keyOf(object), object);
    const event = { version, resource, type, object };
    this.#history.push(event);
    for (const notify of this.onEvent) notify(event);
    return object;
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function specOf({
  metadata: _metadata,
  status: _status,
  apiVersion: _version,
  kind: _kind,
  ...spec
}: KubernetesObject) {
  return spec;
}
