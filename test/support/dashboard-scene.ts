// An admin server with endpoints in every kind of trouble, traffic, sources, certificates and revisions, for tests of the
// dashboard: its clock advances on request, so that a scene of a thousand endpoints costs no heartbeats. Thread: main.

import { AdminServer } from '../../admin/api/admin-server.ts';
import type { Availability } from '../../core/availability.ts';
import { LATENCY_BOUNDS_MS } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, WORKER } from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { seededRandom } from '../../core/random.ts';
import type { AdminProviders } from '../../admin/admin-context.ts';
import type { SourceView } from '../../discovery/source-runner.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import type { HealthEvent } from '../../health/record/health-events.ts';
import { EndpointLane, ListenerLane, UpstreamLane } from '../../proxy/account/lane.ts';
import { ENDPOINT_FIELD, LISTENER_FIELD, UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import { adminAt, FakeContext, LOOPBACK, STARTED_AT } from '../unit/admin/fake-context.ts';
import { endpointSnapshot, listenerSnapshot, policySnapshot, routeSnapshot, upstreamSnapshot } from './snapshots.ts';

/** Names as long as those of real clusters. */
const UPSTREAMS = ['shop', 'search-suggestions', 'api', 'payment-provider-callbacks'];
const HOSTS = [
  (n: number) => `checkout-7f9c5d8b4-x2x9q-${n}.shop.svc.cluster.local:8443`,
  (n: number) => `10.20.${n >> 8}.${n & 255}:3000`,
  (n: number) => `[2001:db8:85a3::8a2e:370:${n.toString(16)}]:8080`,
];

/** Sources of endpoints, and the same with their subjects. */
const ORIGINS = [
  ['config', 'configured'],
  ['dns', 'dns:checkout.shop.internal:8443'],
  ['api', 'api'],
  ['consul', 'consul:http://consul.service.internal:8500/checkout'],
] as const;

/** One of each kind, with causes as long as real ones. */
const TROUBLES: readonly (readonly [Availability, string])[] = [
  [
    'down',
    'connection refused (3 of 3 checks failed): connect ECONNREFUSED 10.20.0.1:3000, the last answer was 12 s ago',
  ],
  [
    'ejected',
    '5 consecutive failures of live traffic: the response was cut off after 1,460 of 20,480 bytes (reset by peer)',
  ],
  [
    'unresolved',
    'the host name has no address: server 10.0.0.53 answers SERVFAIL for checkout.shop.svc.cluster.local A',
  ],
  ['halfOpen', 'the ejection has expired; one live request decides'],
  ['suspect', 'a first hard failure: connection reset while the request was sent'],
  ['drain', 'set to drain by the admin API (token deployment)'],
  ['maintenance', 'set to maintenance by the admin API (token operations)'],
];

/** Axis and detector of the states that no heartbeat finds. */
const FOUND_BY: Readonly<Partial<Record<Availability, Pick<HealthEvent, 'axis' | 'detector'>>>> = {
  ejected: { axis: 'outlier', detector: 'consecutiveFailures' },
  halfOpen: { axis: 'outlier', detector: 'timer' },
  suspect: { axis: 'outlier', detector: 'firstFailure' },
  drain: { axis: 'admin', detector: 'operator' },
  maintenance: { axis: 'admin', detector: 'operator' },
  unresolved: { axis: 'resolution', detector: 'discovery' },
};

/** Use of the fullest overload limit at the end of the history, in thousandths. */
const SATURATED = 968;
/** Steps of ten seconds since the events. */
const STEPS_AFTER = 3;
/** Time to the end of the certificate of a file. */
const CERTIFICATE_LEFT_MS = 5 * 86_400_000;

/** Sources of the first upstream, one in each state. */
function sources(): readonly SourceView[] {
  const at = { confirmedAt: STARTED_AT, changedAt: STARTED_AT, version: '', updates: 7, failures: 0, cause: '' };
  const of = { ...at, upstream: UPSTREAMS[0]! };
  return [
    { ...of, source: 'dns', subject: 'checkout.shop.internal:8443', state: 'current', endpoints: 60 },
    {
      ...of,
      source: 'consul',
      subject: 'http://consul.service.internal:8500/checkout',
      state: 'stale',
      endpoints: 12,
      failures: 31,
      cause: 'connect ECONNREFUSED 10.0.0.53:8500; 31 attempts have failed, the next one is in 30 s',
    },
    {
      ...of,
      source: 'file',
      subject: '/etc/fairlead/endpoints/checkout.yaml',
      state: 'held',
      endpoints: 3,
      cause: '58 of 60 endpoints would be removed at once',
    },
    {
      ...of,
      source: 'docker',
      subject: 'unix:/var/run/docker.sock',
      state: 'pending',
      endpoints: 0,
      confirmedAt: null,
      changedAt: null,
      cause: 'connect ENOENT /var/run/docker.sock',
    },
  ];
}

class SceneContext extends FakeContext {
  override readonly region: Region;
  override readonly certificates;
  override readonly providers: AdminProviders = {
    origins: {
      routes: { 'everything-else': 'kubernetes ingress shop/everything-else' },
      upstreams: { shop: 'kubernetes service shop/checkout' },
    },
    views: () => [
      {
        provider: 'kubernetes',
        subject: 'https://kubernetes.default.svc.cluster.local',
        state: 'stale',
        version: '4711',
        confirmedAt: STARTED_AT,
        cause: 'the watch of ingresses ended: connect ETIMEDOUT 10.96.0.1:443, the next attempt is in 8 s',
        routes: 2,
        upstreams: 1,
        certificates: 0,
        accepted: 3,
        refused: [
          { origin: 'kubernetes ingress shop/old', cause: 'there is no service shop/legacy-checkout' },
          { origin: 'kubernetes secret shop/tls', cause: 'tls.key does not belong to tls.crt' },
        ],
      },
    ],
  };

  constructor(endpoints: number) {
    super();
    this.region = Region.allocate({ endpoints: endpoints + 8, upstreams: 8, workers: 3, listeners: 2 }, STARTED_AT);
    this.membership.sources = sources;
    const [given] = new FakeContext().certificates.list();
    const expiring = {
      ...given!,
      serial: '02',
      names: ['www.shop.example.com'],
      notAfterMs: STARTED_AT + CERTIFICATE_LEFT_MS,
    };
    this.certificates = { list: () => [given!, expiring], changes: { installed: 4, refused: 1 } };
  }
}

export interface SceneParts {
  readonly endpoints: number;
  /** Steps of ten seconds before the page is opened; 360 fill the charts. */
  readonly historySteps: number;
}

export class DashboardScene {
  readonly context: SceneContext;
  readonly server: AdminServer;
  url = '';
  readonly #random = seededRandom(7);
  readonly #lanes: EndpointLane[];
  readonly #upstreamLanes: UpstreamLane[];
  readonly #listener: ListenerLane;
  #steps = 0;
  #timer: NodeJS.Timeout | null = null;

  static async start(parts: SceneParts): Promise<DashboardScene> {
    const scene = new DashboardScene(parts);
    scene.url = `http://${await scene.server.start(adminAt(LOOPBACK))}`;
    scene.#fillHistory(parts.historySteps);
    scene.#addEvents();
    for (let i = 0; i < STEPS_AFTER; i++) scene.step(10);
    return scene;
  }

  private constructor({ endpoints }: SceneParts) {
    this.context = new SceneContext(endpoints);
    configure(this.context, endpoints);
    this.server = new AdminServer(this.context);
    const { region } = this.context;
    this.#lanes = Array.from({ length: endpoints }, (_, slot) => new EndpointLane(region, 0, slot));
    this.#upstreamLanes = this.context.current.upstreams.map(({ index }) => new UpstreamLane(region, 0, index));
    this.#listener = new ListenerLane(region, 0, 0);
  }

  /** Advances by a second of traffic, and sends it to open pages. */
  step(seconds = 1): void {
    this.#steps++;
    const wave = 1 + 0.4 * Math.sin(this.#steps / 17);
    const slots = this.context.current.upstreams.flatMap(({ endpoints }) => endpoints);
    for (const { slot } of slots) this.#carry(slot, Math.round(8 * wave * seconds));
    for (const [index, upstream] of this.context.current.upstreams.entries())
      this.#answer(index, upstream.endpoints.length * 4 * wave * seconds);
    this.context.clock.advance(seconds * 1000);
  }

  /** Steps every second until `pause` or `close`. */
  run(): void {
    this.#timer ??= setInterval(() => this.step(), 1000);
  }

  /** Stops its clock: open pages receive nothing. */
  pause(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async close(): Promise<void> {
    this.pause();
    await this.server.close();
  }

  /** Changes the state of an endpoint, with its event. */
  change(slot: number, availability: Availability, cause: string): void {
    const { health, clock } = this.context;
    const view = health.views.get(slot)!;
    health.change(slot, { ...stateOf(availability, cause), since: clock.wallMs() });
    const subject = { at: clock.wallMs(), upstream: view.upstream, endpoint: view.name };
    const to = availability === 'up' ? 'up' : 'down';
    const { axis, detector } = FOUND_BY[availability] ?? ({ axis: 'check', detector: 'heartbeat' } as const);
    health.events.add({ ...subject, axis, detector, from: 'up', to, cause, availability });
  }

  #carry(slot: number, most: number): void {
    const isUsable = this.context.health.views.get(slot)!.availability === 'up';
    const lane = this.#lanes[slot]!;
    const requests = isUsable ? Math.round(most * this.#random.next()) : 0;
    const failures = slot % 40 === 3 && requests > 0 ? 1 : 0;
    lane.add(ENDPOINT_FIELD.attempts, requests);
    lane.add(ENDPOINT_FIELD.ok, requests - failures);
    lane.add(ENDPOINT_FIELD.fail, failures);
    lane.add(ENDPOINT_FIELD.bytesSent, requests * 512);
    lane.add(ENDPOINT_FIELD.bytesReceived, requests * 20_480);
    for (let i = 0; i < requests; i++) lane.observeLatency(this.#latency());
    const { region } = this.context;
    region.words[region.endpointWord(slot) + ENDPOINT.inflight.index] = Math.round(requests / 4);
  }

  /** @param most requests of this step */
  #answer(index: number, most: number): void {
    const lane = this.#upstreamLanes[index]!;
    const requests = Math.round(most * (0.85 + 0.15 * this.#random.next()));
    const errors = index === 1 && this.#steps % 3 === 0 ? Math.ceil(requests / 20) : 0;
    lane.add(UPSTREAM_FIELD.exchanges, requests);
    lane.add(UPSTREAM_FIELD.responses5xx, errors);
    for (let i = 0; i < Math.min(requests, 200); i++) lane.observeLatency(this.#latency());
    this.#listener.add(LISTENER_FIELD.requests, requests);
    this.#listener.add(LISTENER_FIELD.responses5xx, errors);
  }

  #latency(): number {
    return LATENCY_BOUNDS_MS[15 + Math.floor(10 * this.#random.next() ** 3)]!;
  }

  #fillHistory(steps: number): void {
    const { region } = this.context;
    for (let i = 0; i < steps; i++) {
      const use = 450 + 300 * Math.sin(i / 40) + 60 * this.#random.next();
      region.words[region.workerWord(1) + WORKER.pressure.index] = use;
      this.step(10);
    }
    region.words[region.workerWord(1) + WORKER.pressure.index] = SATURATED;
    this.step(10);
  }

  #addEvents(): void {
    const { context, server } = this;
    for (const [slot, view] of [...context.health.views].slice(0, 8)) {
      if (view.availability !== 'up') this.change(slot, view.availability, view.cause);
    }
    for (let i = 0; i < 3; i++) {
      this.change(0, 'up', '2 of 2 checks succeeded');
      this.change(0, 'down', TROUBLES[0]![1]);
    }
    context.current = { ...context.current, revision: 8 };
    context.written = {
      file: 'fairlead.yaml',
      characters: 11,
      config: () => ({ workers: 4, upstreams: { shop: { balance: 'least-request' } } }),
    };
    server.noteReload({ ok: true, revision: 8, changes: ['workers: 2 to 4', 'upstream shop: balance changed'] });
    server.noteReload({
      ok: false,
      problems: ['fairlead.yaml:12:3: upstream shpo does not exist; did you mean shop?'],
    });
  }
}

/** Upstreams with their endpoints, routes, and what operators and sources add. */
function configure(context: SceneContext, count: number): void {
  const names = UPSTREAMS.slice(0, count < 10 ? 1 : UPSTREAMS.length);
  const members: EndpointSnapshot[][] = names.map(() => []);
  const base = context.health.views.get(0)!;
  context.health.views.clear();
  for (let slot = 0; slot < count; slot++) {
    const group = slot % names.length;
    const endpoint = endpointOf(slot, names[group]!);
    members[group]!.push(endpoint);
    context.health.views.set(slot, viewOf(base, endpoint, names[group]!, count < 10 && slot > 0));
  }
  const upstreams = names.map((name, index) => upstreamSnapshot({ name, index, endpoints: members[index]! }));
  const { region } = context;
  const trusted = ['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32'];
  region.words[region.upstreamWord(0) + UPSTREAM.queued.index] = count < 10 ? 0 : 3;
  context.current = {
    ...context.current,
    listeners: [
      listenerSnapshot({ name: 'web', index: 0, http2: true }),
      listenerSnapshot({ name: 'internal', index: 1, proxyProtocol: { trusted, others: 'close', timeoutMs: 5_000 } }),
    ],
    routes: routesTo(names),
    upstreams,
    admin: adminAt(LOOPBACK),
  };
  context.maintenance.switches = [
    { of: 'route', name: 'legacy', retryAfterS: 60, at: STARTED_AT, by: 'the admin API (token operations)' },
  ];
}

function routesTo(names: readonly string[]) {
  const policies = [
    policySnapshot('rate-limit', { rateLimits: [] }),
    policySnapshot('compress', { compress: { codings: ['gzip'] } }),
  ];
  const empty = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
  const to = names.map((name, index) =>
    routeSnapshot({
      name: `${name}-route`,
      match: { ...empty, hosts: ['www.example.com', 'example.com'], paths: [{ kind: 'prefix', value: `/${name}/` }] },
      action: { kind: 'upstream', upstream: index },
      policies: index === 0 ? policies : [],
    }),
  );
  return [...to, routeSnapshot({ name: 'everything-else', match: empty, action: { kind: 'upstream', upstream: 0 } })];
}

function endpointOf(slot: number, upstream: string): EndpointSnapshot {
  const id = HOSTS[slot % HOSTS.length]!(slot);
  const zone = `eu-west-1${'abc'[slot % 3]!}`;
  const [source, origin] = ORIGINS[slot % ORIGINS.length]!;
  return endpointSnapshot(slot, { id, name: `${upstream}/${id}`, zone, source, origin });
}

function viewOf(base: EndpointView, endpoint: EndpointSnapshot, upstream: string, isWell: boolean): EndpointView {
  const trouble = isWell ? undefined : TROUBLES[endpoint.slot];
  const [availability, cause] = trouble ?? (['up', '2 of 2 checks succeeded'] as const);
  return {
    ...base,
    upstream,
    name: `${upstream}/${endpoint.id}`,
    slot: endpoint.slot,
    downtimeSeconds: endpoint.slot % 7 === 0 ? 754 : 0,
    heartbeats: [
      { at: STARTED_AT, startedMs: 0, kind: 'ok', cause: '', durationMs: 1.4, isContradicted: false },
      { at: STARTED_AT, startedMs: 0, kind: 'fail', cause, durationMs: 3, isContradicted: false },
    ],
    ...stateOf(availability, cause),
  };
}

function stateOf(
  availability: Availability,
  cause: string,
): Pick<EndpointView, 'availability' | 'cause' | 'axes' | 'wishes'> {
  const isOperator = availability === 'drain' || availability === 'maintenance';
  const admin = isOperator ? availability : 'ready';
  const outlier = ['ejected', 'halfOpen', 'suspect'].includes(availability) ? availability : 'none';
  const axes = {
    admin,
    check: availability === 'down' ? 'down' : 'up',
    outlier,
    resolution: availability === 'unresolved' ? 'unresolved' : 'resolved',
  } as EndpointView['axes'];
  return { availability, cause, axes, wishes: { operator: admin, agent: 'ready' } };
}
