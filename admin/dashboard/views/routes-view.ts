// Routes: the path of requests from listeners over routes and policies to upstreams and endpoints, with the traffic on
// each step. Runs in the browser.

import type { Live, LiveUpstream, RouteMap, Row } from '../types.ts';
import { ApiError, readRoutes } from '../data/api.ts';
import { plural, rate } from '../data/format.ts';
import type { ListenerRates } from '../data/listener-rates.ts';
import { sortRows, rowsOf, START_ORDER } from '../data/rows.ts';
import { byId, make, makeButton, setText } from '../parts/dom.ts';
import { StateBadge } from '../parts/state-badge.ts';

type Route = RouteMap['routes'][number];
type Listener = RouteMap['listeners'][number];

/** Endpoints of an upstream on this page, those with problems first. */
const MOST_ENDPOINTS = 6;
/** Routes of a listener on this page. */
const MOST_ROUTES = 200;

const PROTOCOLS = { http2: 'HTTP/2', http1: 'HTTP/1.1', tcp: 'TCP' };

export interface RoutesParts {
  readonly openUpstream: (name: string) => void;
  readonly openEndpoint: (key: string) => void;
}

/** A part of the page that shows figures of the newest status. */
type Figure = (live: Live) => void;

export class RoutesView {
  readonly #host = byId('route-map', HTMLElement);
  readonly #parts: RoutesParts;
  readonly #rates: ListenerRates;
  #figures: Figure[] = [];
  #map: RouteMap | null = null;
  #shape = '';
  /** Rows of the newest status, by upstream. */
  readonly #sorted = new Map<string, readonly Row[]>();

  constructor(parts: RoutesParts, rates: ListenerRates) {
    this.#parts = parts;
    this.#rates = rates;
  }

  /** Fetches the routes: when the view is opened and after a reload. */
  async load(): Promise<void> {
    try {
      this.#map = await readRoutes();
      this.#shape = '';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#host.replaceChildren(make('p', { class: 'error', role: 'alert' }, error.message));
    }
  }

  update(live: Live): void {
    if (this.#map === null) return;
    const shape = JSON.stringify(live.upstreams.map(({ name, endpoints }) => [name, endpoints.length]));
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(this.#map);
    }
    this.#sorted.clear();
    for (const figure of this.#figures) figure(live);
  }

  /** Endpoints of an upstream, those with problems first; sorted once for all routes that lead to it. */
  #sortedRows(upstream: LiveUpstream | undefined): readonly Row[] {
    if (upstream === undefined) return [];
    const known = this.#sorted.get(upstream.name) ?? sortRows(rowsOf({ upstreams: [upstream] }), START_ORDER);
    this.#sorted.set(upstream.name, known);
    return known;
  }

  #build(map: RouteMap): void {
    this.#figures = [];
    this.#host.replaceChildren(...map.listeners.map((listener) => this.#listener(listener, map)));
  }

  #listener(listener: Listener, map: RouteMap): HTMLElement {
    const { name, tls, protocols, proxyProtocol, policies } = listener;
    const about = [
      protocols.map((one) => PROTOCOLS[one]).join(', '),
      ...(tls ? ['TLS'] : []),
      ...(proxyProtocol === null ? [] : [proxyText(proxyProtocol)]),
    ].join(' · ');
    const address = make('span', { class: 'minor' });
    this.#figures.push(({ listeners }) => {
      const bound = listeners.find((one) => one.name === name)?.address ?? 'not bound';
      setText(address, ` ${bound} · ${about}`);
    });
    const own = map.routes.filter(({ listeners }) => listeners.includes(name));
    const items = own.slice(0, MOST_ROUTES).map((route) => this.#route(route, map));
    const rest = own.length - items.length;
    if (rest > 0) items.push(make('li', { class: 'minor' }, `and ${plural(rest, 'other route')}`));
    const title = make(
      'h3',
      {},
      make('strong', {}, name),
      address,
      this.#edge(() => this.#rates.of(name)),
    );
    return make(
      'section',
      { class: 'listener' },
      title,
      ...policyList(policies),
      make('ol', { class: 'routes' }, ...items),
    );
  }

  #route(route: Route, map: RouteMap): HTMLElement {
    const { name, match, policies, action, detail, upstreams, origin } = route;
    const condition = make('div', { class: 'match' }, match === '' ? 'every other request' : match);
    const head = make('div', { class: 'step' }, make('strong', {}, name), condition, ...originOf(origin));
    head.append(...policyList(policies));
    const goals =
      action === 'upstream'
        ? upstreams.map((one) => this.#upstream(one, map))
        : [make('div', { class: 'step' }, `${ACTIONS[action]} ${detail}`)];
    return make('li', {}, head, make('div', { class: 'goals' }, ...goals));
  }

  #upstream({ name, weight }: Route['upstreams'][number], map: RouteMap): HTMLElement {
    const sharing = map.routes.filter(({ upstreams }) => upstreams.some((one) => one.name === name)).length;
    const notes = [
      ...(weight === null ? [] : [`weight ${weight}`]),
      ...(sharing > 1 ? [`traffic of ${plural(sharing, 'route')} together`] : []),
    ];
    const find = ({ upstreams }: Live): LiveUpstream | undefined => upstreams.find((one) => one.name === name);
    const edge = this.#edge((live) => find(live)?.requestsPerSecond ?? null);
    const link = makeButton(name, () => this.#parts.openUpstream(name), { class: 'link' });
    const note = notes.length === 0 ? [] : [make('span', { class: 'minor' }, notes.join(', '))];
    const own = map.upstreams.find((one) => one.name === name);
    const head = make('div', { class: 'line' }, edge, link, ...note);
    const about = [...originOf(own?.origin ?? null), ...policyList(own?.policies ?? [])];
    return make('div', { class: 'step' }, head, ...about, this.#endpoints(find));
  }

  /** Endpoints with their states and rates; which ones may change with each status. */
  #endpoints(find: (live: Live) => LiveUpstream | undefined): HTMLElement {
    const list = make('ul', { class: 'goal-endpoints' });
    const rest = make('li', { class: 'minor' });
    const items: EndpointItem[] = [];
    this.#figures.push((live) => {
      const rows = this.#sortedRows(find(live));
      const shown = rows.slice(0, MOST_ENDPOINTS);
      while (items.length > shown.length) items.pop()!.element.remove();
      while (items.length < shown.length) {
        const item = new EndpointItem(this.#parts.openEndpoint);
        items.push(item);
        list.insertBefore(item.element, rest.parentNode === list ? rest : null);
      }
      for (const [index, row] of shown.entries()) items[index]!.update(row);
      const more = rows.length - shown.length;
      if (more === 0) rest.remove();
      else list.append(rest);
      setText(rest, `and ${plural(more, 'other endpoint')}`);
    });
    return list;
  }

  #edge(read: (live: Live) => number | null): HTMLElement {
    const element = make('span', { class: 'edge' });
    this.#figures.push((live) => setText(element, `→ ${rate(read(live))} req/s`));
    return element;
  }
}

class EndpointItem {
  readonly element: HTMLElement;
  readonly #badge = new StateBadge();
  readonly #button: HTMLButtonElement;
  readonly #rate = make('span', { class: 'edge' });
  #key = '';

  constructor(open: (key: string) => void) {
    this.#button = makeButton('', () => open(this.#key), { class: 'link' });
    this.element = make('li', { class: 'line' }, this.#rate, this.#badge.element, this.#button);
  }

  update({ key, name, availability, requestsPerSecond }: Row): void {
    this.#key = key;
    this.#badge.update(availability);
    setText(this.#button, name);
    setText(this.#rate, `→ ${rate(requestsPerSecond)} req/s`);
  }
}

/** Peers whose header names the client, and the treatment of the others. */
function proxyText({ trusted, others }: NonNullable<Listener['proxyProtocol']>): string {
  const rest = others === 'close' ? 'connections of others are closed' : 'others connect without it';
  return `PROXY protocol from ${trusted.join(', ') || 'local peers'}; ${rest}`;
}

const ACTIONS = { respond: 'answers with status', redirect: 'redirects with status', files: 'serves files of' };

/** The object of a provider that defines a route or an upstream. */
function originOf(origin: string | null): HTMLElement[] {
  return origin === null ? [] : [make('div', { class: 'minor' }, `defined by ${origin}`)];
}

function policyList(policies: readonly string[]): HTMLElement[] {
  if (policies.length === 0) return [];
  const chips = policies.map((name) => make('span', { class: 'mark' }, name));
  return [make('div', { class: 'policies' }, make('span', { class: 'minor' }, 'policies'), ...chips)];
}
