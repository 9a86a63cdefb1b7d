// Routes and upstreams of labelled containers: pure, from the list of containers to a fragment. Thread: main.

import { COMPOSE_PROJECT, COMPOSE_SERVICE } from '../../discovery/docker/container.ts';
import { type ConfigPart, type Fragment, nameOf, type Refusal, type ServedListener } from '../provider.ts';
import { actionsOf, comparePlaces, ROUTE_SETTINGS, routeSettings } from '../provided-routes.ts';
import type { LabelledContainer } from './labelled-container.ts';

/** Labels that concern endpoints: the source `docker` reads them. */
const ENDPOINT_LABELS = ['enable', 'upstream', 'port', 'network', 'weight', 'backup', 'zone'];
const LABELS: readonly string[] = [...ENDPOINT_LABELS, 'host', 'path', 'listener', 'heartbeat', ...ROUTE_SETTINGS];
/** Hosts and paths of one container. */
const MOST_PLACES = 100;

export interface ContainerRouteSettings {
  /** Listeners that serve the routes. */
  readonly listeners: readonly ServedListener[];
  /** Options of the source `docker` that reach the engine. */
  readonly engine: object;
  /** Upstreams of the file, which containers may name. */
  readonly ownUpstreams: readonly string[];
}

interface Place {
  readonly host: string;
  readonly path: string;
}

/** The route of a container, as its labels define it. */
interface LabelledRoute {
  readonly upstream: string;
  /** Containers with the same text are replicas of one route. */
  readonly text: string;
  /** Null for an upstream of the file. */
  readonly config: object | null;
  readonly places: readonly Place[];
  readonly listeners: readonly ServedListener[];
  readonly named: Readonly<Record<string, string>>;
}

interface Accepted extends LabelledRoute {
  /** The first of its replicas by name: another replica that starts or ends changes nothing. */
  name: string;
}

/** Reads the labels of containers, oldest first: where two contradict each other, the older one is served. */
export function containerFragment(
  containers: readonly LabelledContainer[],
  settings: ContainerRouteSettings,
): Omit<Fragment, 'version'> {
  const refused: Refusal[] = [];
  const accepted = new Map<string, Accepted>();
  for (const container of containers.toSorted((a, b) => a.createdS - b.createdS || compare(a.name, b.name))) {
    const labels = ownLabels(container);
    if (labels['enable'] === 'false' || (labels['host'] === undefined && labels['path'] === undefined)) continue;
    const origin = originOf(container.name);
    for (const name of Object.keys(labels).filter((one) => !LABELS.includes(one))) {
      refused.push({ origin, cause: `the label fairlead.${name} is unknown: use ${LABELS.join(', ')}` });
    }
    const route = routeOf(container, labels, settings);
    const cause = typeof route === 'string' ? route : conflictOf(route, accepted);
    if (cause !== null || typeof route === 'string') {
      refused.push({ origin, cause: cause ?? '' });
      continue;
    }
    const replica = accepted.get(route.text);
    if (replica === undefined) accepted.set(route.text, { ...route, name: container.name });
    else if (compare(container.name, replica.name) < 0) replica.name = container.name;
  }
  return { parts: partsOf([...accepted.values()]), certificates: [], refused };
}

function originOf(name: string): string {
  return `docker container ${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Labels of Fairlead, without their prefix. */
function ownLabels({ labels }: LabelledContainer): Readonly<Record<string, string>> {
  const own = Object.entries(labels).filter(([key]) => key.startsWith('fairlead.'));
  return Object.fromEntries(own.map(([key, value]) => [key.slice('fairlead.'.length), value.trim()]));
}

/** @returns the cause where a label is malformed */
function routeOf(
  { labels: all }: LabelledContainer,
  labels: Readonly<Record<string, string>>,
  { listeners: served, engine, ownUpstreams }: ContainerRouteSettings,
): LabelledRoute | string {
  const enable = labels['enable'] ?? 'true';
  if (enable !== 'true') return `the label fairlead.enable is ${JSON.stringify(enable)}: write "true" or "false"`;
  const target = upstreamOf(all, labels['upstream'], engine);
  if (typeof target === 'string') return target;
  const { upstream, discover } = target;
  const listeners = listenersOf(labels['listener'], served);
  if (typeof listeners === 'string') return listeners;
  const places = listOf(labels['host'] ?? '').flatMap((host) =>
    listOf(labels['path'] ?? '/').map((path) => ({ host: host.toLowerCase(), path })),
  );
  if (places.length > MOST_PLACES) return `fairlead.host and fairlead.path make more than ${MOST_PLACES} routes`;
  const { heartbeat } = labels;
  const isOwn = ownUpstreams.includes(upstream);
  if (heartbeat !== undefined && !heartbeat.startsWith('/')) {
    return `the label fairlead.heartbeat is ${JSON.stringify(heartbeat)}: write a path such as /healthz`;
  }
  if (heartbeat !== undefined && isOwn)
    return `fairlead.heartbeat is not allowed: the file defines upstream ${upstream}`;
  const health = heartbeat === undefined ? {} : { health: { heartbeat: { path: heartbeat } } };
  const config = isOwn ? null : { discover, ...health };
  const named = Object.fromEntries(Object.entries(labels).filter(([name]) => ROUTE_SETTINGS.includes(name)));
  const sorted = Object.entries(named).toSorted(([a], [b]) => compare(a, b));
  const text = JSON.stringify([upstream, config, places, listeners, sorted]);
  return { upstream, text, config, places, listeners, named };
}

/** Containers of a label, or those of a Compose service. */
function upstreamOf(labels: Readonly<Record<string, string>>, name: string | undefined, engine: object) {
  if (name !== undefined) {
    if (!/^\w[\w.-]{0,62}$/.test(name))
      return `the label fairlead.upstream is ${JSON.stringify(name)}: it is not a name`;
    return { upstream: name, discover: { docker: { ...engine, upstream: name } } };
  }
  const { [COMPOSE_SERVICE]: service = '', [COMPOSE_PROJECT]: project = '' } = labels;
  if (service === '') return 'it is in no Compose service: set the label fairlead.upstream';
  const of = { service, ...(project !== '' && { project }) };
  return { upstream: nameOf(project, service), discover: { docker: { ...engine, ...of } } };
}

function listenersOf(label: string | undefined, served: readonly ServedListener[]) {
  if (label === undefined) return served;
  const names = listOf(label);
  const unknown = names.find((name) => served.every((one) => one.name !== name));
  if (unknown === undefined) return served.filter(({ name }) => names.includes(name));
  const known = served.map(({ name }) => name).join(', ');
  return `the label fairlead.listener names ${JSON.stringify(unknown)}: the listeners are ${known}`;
}

/** Values between commas. */
function listOf(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}

/** The reason why the route can't stand beside the accepted ones; null where it can. */
function conflictOf(route: LabelledRoute, accepted: ReadonlyMap<string, Accepted>): string | null {
  if (accepted.has(route.text)) return null;
  for (const other of accepted.values()) {
    const isSameUpstream = other.upstream === route.upstream;
    if (isSameUpstream && JSON.stringify(other.config) !== JSON.stringify(route.config)) {
      return `container ${other.name} defines upstream ${route.upstream} differently`;
    }
    const shared = route.listeners.some(({ name }) => other.listeners.some((one) => one.name === name));
    const place = route.places.find(({ host, path }) =>
      other.places.some((one) => shared && one.host === host && one.path === path),
    );
    if (place === undefined) continue;
    return `container ${other.name} has a route for ${place.host}${place.path} already, to upstream ${other.upstream}`;
  }
  return null;
}

/**
 * Upstreams first, then routes in the order in which they are tried. An upstream is an object of its own: several containers share it,
 * and one of them may be refused.
 */
function partsOf(accepted: readonly Accepted[]): ConfigPart[] {
  const upstreams = new Map<string, ConfigPart>();
  const counts = new Map<string, number>();
  const routes: (Place & { readonly part: ConfigPart })[] = [];
  for (const { name, upstream, config, places, listeners, named } of accepted) {
    const origin = originOf(name);
    if (config !== null && !upstreams.has(upstream)) {
      upstreams.set(upstream, { origin: `docker upstream ${upstream}`, config: { upstreams: { [upstream]: config } } });
    }
    const { settings, redirectsToHttps } = routeSettings(named);
    for (const { host, path } of places) {
      for (const { listeners: on, action } of actionsOf(listeners, redirectsToHttps, { upstream, ...settings })) {
        const count = (counts.get(upstream) ?? 0) + 1;
        counts.set(upstream, count);
        const match = { ...(host !== '' && { host }), ...(path !== '/' && { path }), listener: on };
        const route = { name: nameOf('docker', upstream, String(count)), match, ...action };
        routes.push({ host, path, part: { origin, config: { routes: [route] } } });
      }
    }
  }
  return [...upstreams.values(), ...routes.toSorted(comparePlaces).map(({ part }) => part)];
}
