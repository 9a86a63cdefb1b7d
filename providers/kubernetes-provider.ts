// Provider `kubernetes`: Ingress and Gateway API objects of a cluster as routes, upstreams and certificates. Thread: main.

import path from 'node:path';
import type { OptionProblem, ParsedOption } from '../core/option-schema.ts';
import { ApiClient } from '../discovery/kubernetes/api-client.ts';
import { listAt, textAt } from '../discovery/kubernetes/api-object.ts';
import { type Cluster, ClusterWatch, KINDS, type KindName } from './kubernetes/cluster.ts';
import { type GatewayResult, gatewayResult, gatewayStatuses, joined, type StatusFacts } from './kubernetes/gateway.ts';
import type { GatewaySettings } from './kubernetes/gateways.ts';
import { ingressesOf, ingressFragment, type IngressSettings } from './kubernetes/ingress.ts';
import { type StatusChange, StatusWriter } from './kubernetes/status-writer.ts';
import {
  defineProvider,
  type ProviderContext,
  type ProviderEvents,
  type Refusal,
  type RunningProvider,
} from './provider.ts';

interface KubernetesProviderSettings extends IngressSettings, GatewaySettings {
  readonly hasGateways: boolean;
  /** Empty for all. */
  readonly namespaces: readonly string[];
  readonly publish: {
    readonly addresses: readonly string[];
    /** `namespace/name` of the service in front of this process; '' for none. */
    readonly service: string;
  };
}

type Address = StatusFacts['addresses'][number];

const GATEWAY_KINDS: readonly KindName[] = [
  'gatewayClasses',
  'gateways',
  'httpRoutes',
  'referenceGrants',
  'namespaces',
];
const INGRESS_KINDS: readonly KindName[] = ['ingresses', 'ingressClasses', 'services', 'secrets'];

export const kubernetesProvider = defineProvider({
  name: 'kubernetes',
  summary:
    'Routes, upstreams and certificates from Ingress and Gateway API objects of a Kubernetes cluster (docs/kubernetes.md).',
  example: '{ publish: { service: fairlead/fairlead } }',
  options: ({ z, text, oneOrMany, filePath, name }) => ({
    listeners: oneOrMany(name())
      .describe('Listeners that serve the routes; all listeners for HTTP if absent.')
      .optional(),
    namespaces: oneOrMany(text(parseName, { expects: 'the name of a namespace', example: 'shop' }))
      .describe('Namespaces whose objects are used; all if absent.')
      .optional(),
    gateway: z
      .union([
        z.boolean().transform((isOn) => (isOn ? { ports: {} } : null)),
        z.strictObject({
          ports: z
            .record(z.string().regex(/^\d{1,5}$/), name().describe('Listener that serves this port of Gateways.'))
            .meta({ expects: 'a mapping of ports to names of listeners', example: '{ "80": web, "443": secure }' })
            .describe('Listeners that serve ports of Gateways; those that bind a port themselves need no entry.'),
        }),
      ])
      .meta({ expects: 'true, or a mapping with ports', example: '{ ports: { "80": web } }' })
      .default(null)
      .describe(
        'Whether Gateway API is served: GatewayClass, Gateway and HTTPRoute, whose definitions must be installed.',
      ),
    publish: z
      .strictObject({
        service: text(parseKey, { expects: 'a service as namespace/name', example: 'fairlead/fairlead' })
          .describe('Service in front of Fairlead, whose addresses are written.')
          .optional(),
        addresses: oneOrMany(z.string().min(1).meta({ expects: 'an address', example: '192.0.2.1' }))
          .describe('Addresses or host names of Fairlead, before those of the service.')
          .optional(),
      })
      .meta({ expects: 'a mapping with service or addresses', example: '{ service: fairlead/fairlead }' })
      .describe('Addresses that are written to the status of objects. If absent, none are.')
      .optional(),
    kubeconfig: filePath('kubeconfig.yaml')
      .describe("A kubeconfig; the service account of Fairlead's pod if absent.")
      .optional(),
    context: z.string().min(1).describe('Context of the kubeconfig; its current one if absent.').optional(),
  }),
  check({ kubeconfig, context, publish }): readonly OptionProblem[] {
    const problems: OptionProblem[] = [];
    if (context !== undefined && kubeconfig === undefined) {
      problems.push({ code: 'FL3007', message: '"context" needs "kubeconfig"', path: ['context'], isKey: true });
    }
    if (publish !== undefined && publish.service === undefined && publish.addresses === undefined) {
      problems.push({ code: 'FL3008', message: 'one of "service" and "addresses" is required', path: ['publish'] });
    }
    return problems;
  },
  compile: (options, { directory, listeners }): KubernetesProviderSettings => ({
    access: {
      kubeconfig: options.kubeconfig === undefined ? '' : path.resolve(directory, options.kubeconfig),
      context: options.context ?? '',
    },
    listeners: listeners.filter(({ name }) => options.listeners?.includes(name) ?? true),
    namespaces: options.namespaces ?? [],
    hasGateways: options.gateway !== null,
    ports: options.gateway?.ports ?? {},
    watch: options.namespaces === undefined ? 'cluster' : 'namespace',
    publish: { addresses: options.publish?.addresses ?? [], service: options.publish?.service ?? '' },
  }),
  describe: ({ access: { kubeconfig, context } }) =>
    kubeconfig === '' ? "the cluster of Fairlead's pod" : `${kubeconfig}${context === '' ? '' : ` (${context})`}`,
  start: (settings, context, events) => new KubernetesProvider(settings, context, events),
});

class KubernetesProvider implements RunningProvider {
  readonly #settings: KubernetesProviderSettings;
  readonly #client: ApiClient;
  readonly #watch: ClusterWatch;
  readonly #statuses: StatusWriter;
  readonly #clock: ProviderContext['clock'];
  #cluster: Cluster | null = null;
  #gateways: GatewayResult | null = null;
  #isApplied = false;
  #refused: readonly Refusal[] = [];

  constructor(settings: KubernetesProviderSettings, context: ProviderContext, events: ProviderEvents) {
    this.#settings = settings;
    this.#clock = context.clock;
    this.#client = new ApiClient(settings.access, context.files);
    this.#statuses = new StatusWriter(this.#client, context.log);
    this.#watch = new ClusterWatch({
      access: settings.access,
      kinds: settings.hasGateways ? [...INGRESS_KINDS, ...GATEWAY_KINDS] : INGRESS_KINDS,
      namespaces: settings.namespaces,
      context,
      onCluster: (cluster, version) => {
        this.#cluster = cluster;
        this.#gateways = settings.hasGateways ? gatewayResult(cluster, settings) : null;
        const ingresses = ingressFragment(cluster, settings);
        events.publish({ version, ...(this.#gateways === null ? ingresses : joined(ingresses, this.#gateways)) });
        // Statuses also change with objects that contribute nothing new.
        if (this.#isApplied) this.applied(this.#refused);
      },
      onFailure: (cause) => events.fail(cause),
    });
  }

  stop(): void {
    this.#watch.stop();
    this.#statuses.stop();
    this.#client.close();
  }

  applied(refused: readonly Refusal[]): void {
    this.#isApplied = true;
    this.#refused = refused;
    const cluster = this.#cluster;
    if (cluster === null) return;
    const { publish } = this.#settings;
    this.#statuses.write(ingressStatuses(cluster, publish));
    if (this.#gateways === null) return;
    const facts = { refused, addresses: addressesOf(cluster, publish), now: isoTime(this.#clock.wallMs()) };
    this.#statuses.write(gatewayStatuses(cluster, this.#gateways, facts));
  }
}

/** Without fractions of a second, as the API has them. */
function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Changes of Ingress objects whose status lacks the addresses. */
function ingressStatuses(cluster: Cluster, publish: KubernetesProviderSettings['publish']): StatusChange[] {
  const addresses = addressesOf(cluster, publish);
  if (addresses.length === 0) return [];
  return ingressesOf(cluster).flatMap((ingress): StatusChange[] => {
    const before = listAt(ingress, 'status', 'loadBalancer', 'ingress');
    if (JSON.stringify(before.map(addressOf)) === JSON.stringify(addresses.map(addressOf))) return [];
    const { api, resource } = KINDS.ingresses;
    const namespace = textAt(ingress, 'metadata', 'namespace');
    const object = `${api}/namespaces/${namespace}/${resource}/${textAt(ingress, 'metadata', 'name')}`;
    return [{ path: object, status: { loadBalancer: { ingress: addresses } } }];
  });
}

function addressesOf(
  { services }: Cluster,
  { addresses, service }: KubernetesProviderSettings['publish'],
): readonly Address[] {
  const own = addresses.map((one) => (/^[\d.]+$|:/.test(one) ? { ip: one } : { hostname: one }));
  const found = listAt(services.get(service), 'status', 'loadBalancer', 'ingress');
  const others = found.map((one) =>
    textAt(one, 'ip') === '' ? { hostname: textAt(one, 'hostname') } : { ip: textAt(one, 'ip') },
  );
  return [...own, ...others];
}

function addressOf(entry: unknown): string {
  return textAt(entry, 'ip') || textAt(entry, 'hostname');
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function parseName(text: string): ParsedOption<string> {
  if (NAME.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${JSON.stringify(text)} is not a Kubernetes name such as shop` };
}

function parseKey(text: string): ParsedOption<string> {
  const parts = text.split('/');
  if (parts.length === 2 && parts.every((part) => NAME.test(part))) return { ok: true, value: text };
  return { ok: false, message: `${JSON.stringify(text)} is not a service: write namespace/name` };
}
