// Routes, upstreams and certificates of Ingress objects (networking.k8s.io/v1): pure, from the cluster to a fragment.
// Thread: main.

import { type ApiObject, listAt, numberAt, textAt, textsAt, valueAt } from '../../discovery/kubernetes/api-object.ts';
import {
  type ConfigPart,
  type Fragment,
  nameOf,
  type ProvidedCertificate,
  type Refusal,
  type ServedListener,
} from '../provider.ts';
import { actionsOf, comparePlaces, ROUTE_SETTINGS, type RouteSettings, routeSettings } from '../provided-routes.ts';
import { type BackendContext, type BackendRef, Backends, originOf } from './backends.ts';
import { certificateOf } from './certificates.ts';
import { type Cluster, compareAge } from './cluster.ts';

/** The controller name in IngressClass objects that this process serves. */
const INGRESS_CONTROLLER = 'fairlead.dev/ingress';
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

export interface IngressSettings extends BackendContext {
  /** Listeners that serve the routes. */
  readonly listeners: readonly ServedListener[];
}

/** A route with what decides its place. */
interface RankedRoute {
  readonly part: ConfigPart;
  readonly host: string;
  readonly path: string;
  readonly isExact: boolean;
  /** Whether it takes what no rule matches. */
  readonly isDefault: boolean;
  readonly ingress: ApiObject;
}

type Served = Pick<Cluster, 'ingresses' | 'ingressClasses' | 'services' | 'secrets'>;

/** The objects that this process serves, oldest first. */
export function ingressesOf({ ingresses, ingressClasses }: Served): ApiObject[] {
  const own = [...ingressClasses.values()].filter((one) => textAt(one, 'spec', 'controller') === INGRESS_CONTROLLER);
  const names = new Set(own.map((one) => textAt(one, 'metadata', 'name')));
  const isDefault = own.some((one) => textsAt(one, 'metadata', 'annotations')[DEFAULT_CLASS] === 'true');
  const isServed = (ingress: ApiObject): boolean => {
    const annotated = textsAt(ingress, 'metadata', 'annotations')[CLASS_ANNOTATION] ?? '';
    const name = textAt(ingress, 'spec', 'ingressClassName') || annotated;
    return name === '' ? isDefault : names.has(name);
  };
  return [...ingresses.values()].filter(isServed).toSorted(compareAge);
}

export function ingressFragment(cluster: Served, settings: IngressSettings): Omit<Fragment, 'version'> {
  const backends = new Backends(cluster, settings);
  const refused: Refusal[] = [];
  const ranked: RankedRoute[] = [];
  const certificates = new Map<string, ProvidedCertificate>();
  for (const ingress of ingressesOf(cluster)) {
    ranked.push(...new IngressRoutes(ingress, backends, settings, refused).all());
    for (const tls of listAt(ingress, 'spec', 'tls')) {
      const name = textAt(tls, 'secretName');
      if (name === '') continue;
      const found = certificateOf(cluster, `${textAt(ingress, 'metadata', 'namespace')}/${name}`, []);
      if (found.ok) certificates.set(found.certificate.origin, found.certificate);
      else refused.push({ origin: found.origin, cause: found.cause });
    }
  }
  const routes = ranked.toSorted(compareRanks).map(({ part }) => part);
  return { parts: [...backends.parts(), ...routes], certificates: [...certificates.values()], refused };
}

/** The routes of one object. */
class IngressRoutes {
  readonly #ingress: ApiObject;
  readonly #backends: Backends;
  readonly #settings: IngressSettings;
  readonly #refused: Refusal[];
  readonly #namespace: string;
  readonly #key: string;
  readonly #origin: string;
  readonly #annotated: AnnotatedRoute;
  #count = 0;

  constructor(ingress: ApiObject, backends: Backends, settings: IngressSettings, refused: Refusal[]) {
    this.#ingress = ingress;
    this.#backends = backends;
    this.#settings = settings;
    this.#refused = refused;
    this.#namespace = textAt(ingress, 'metadata', 'namespace');
    this.#key = `${this.#namespace}/${textAt(ingress, 'metadata', 'name')}`;
    this.#origin = originOf('ingress', this.#key);
    this.#annotated = annotationsOf(textsAt(ingress, 'metadata', 'annotations'));
    for (const cause of this.#annotated.refused) refused.push({ origin: this.#origin, cause });
  }

  all(): RankedRoute[] {
    const rules = listAt(this.#ingress, 'spec', 'rules').flatMap((rule) => {
      const host = textAt(rule, 'host').toLowerCase();
      return listAt(rule, 'http', 'paths').flatMap((entry) => this.#ofPath(host, entry));
    });
    const backend = valueAt(this.#ingress, 'spec', 'defaultBackend');
    if (backend === undefined) return rules;
    return [...rules, ...this.#routes('', { path: '/', isExact: false, isDefault: true }, backend)];
  }

  #ofPath(host: string, entry: unknown): RankedRoute[] {
    const type = textAt(entry, 'pathType');
    const written = textAt(entry, 'path') || '/';
    const isExact = type === 'Exact';
    // `/api/` and `/api` are one prefix: both match `/api` and what is below it.
    const path = isExact || written === '/' ? written : written.replace(/\/+$/, '') || '/';
    return this.#routes(host, { path, isExact, isDefault: false }, valueAt(entry, 'backend'));
  }

  #routes(host: string, place: Pick<RankedRoute, 'path' | 'isExact' | 'isDefault'>, backend: unknown): RankedRoute[] {
    const actions = actionsOf(this.#settings.listeners, this.#annotated.redirectsToHttps, this.#actionFor(backend));
    return actions.map(({ listeners, action }) => this.#route(host, place, listeners, action));
  }

  #route(
    host: string,
    place: Pick<RankedRoute, 'path' | 'isExact' | 'isDefault'>,
    listeners: readonly string[],
    action: object,
  ): RankedRoute {
    const { path, isExact } = place;
    const match = {
      ...(host !== '' && { host }),
      ...(host.startsWith('*.') && { subdomains: 'one' }),
      ...(isExact ? { path: { exact: path } } : path !== '/' && { path }),
      listener: listeners,
    };
    this.#count++;
    const name = nameOf('ingress', ...this.#key.split('/'), String(this.#count));
    const part = { origin: this.#origin, config: { routes: [{ name, match, ...action }] } };
    return { ...place, part, host, ingress: this.#ingress };
  }

  /** A backend that doesn't exist answers 503, and hides no other route. */
  #actionFor(backend: unknown): object {
    const found = this.#backendOf(backend);
    if (found.ok) return { upstream: found.upstream, ...this.#annotated.settings };
    if (!this.#refused.some(({ origin, cause }) => origin === this.#origin && cause === found.cause)) {
      this.#refused.push({ origin: this.#origin, cause: found.cause });
    }
    return { respond: { status: 503, body: 'no such service\n' } };
  }

  #backendOf(backend: unknown) {
    if (valueAt(backend, 'resource') !== undefined) {
      return { ok: false, cause: 'backends that are no services are not supported' } as const;
    }
    const ref: BackendRef = {
      namespace: this.#namespace,
      service: textAt(backend, 'service', 'name'),
      port: numberAt(backend, 'service', 'port', 'number') ?? textAt(backend, 'service', 'port', 'name'),
    };
    return this.#backends.of(ref);
  }
}

/** By host and path; exact paths before prefixes; older objects first; and behind everything, default backends. */
function compareRanks(a: RankedRoute, b: RankedRoute): number {
  return (
    Number(a.isDefault) - Number(b.isDefault) ||
    comparePlaces(a, b) ||
    Number(b.isExact) - Number(a.isExact) ||
    compareAge(a.ingress, b.ingress)
  );
}

const PREFIX = 'fairlead.dev/';

export interface AnnotatedRoute extends RouteSettings {
  /** Unknown annotations, as causes. */
  readonly refused: readonly string[];
}

function annotationsOf(annotations: Readonly<Record<string, string>>): AnnotatedRoute {
  const own = Object.entries(annotations).filter(([key]) => key.startsWith(PREFIX));
  const named = Object.fromEntries(own.map(([key, value]) => [key.slice(PREFIX.length), value]));
  const unknown = Object.keys(named).filter((name) => !ROUTE_SETTINGS.includes(name));
  const refused = unknown.map((name) => {
    return `the annotation ${PREFIX}${name} is unknown: use ${ROUTE_SETTINGS.join(', ')}`;
  });
  return { ...routeSettings(named), refused };
}
