// Source `kubernetes`: the endpoints of a service, by its EndpointSlices. Thread: main.

import path from 'node:path';
import type { OptionProblem, ParsedOption } from '../core/option-schema.ts';
import type { AccessSettings } from './kubernetes/access-settings.ts';
import { ApiClient } from './kubernetes/api-client.ts';
import { type ApiObject, listAt, numberAt, textAt, textsAt } from './kubernetes/api-object.ts';
import { endpointsOfSlices, type Family, SERVICE_LABEL } from './kubernetes/endpoint-slices.ts';
import { type ListRequest, watchList } from './kubernetes/shared-lists.ts';
import type { Objects } from './kubernetes/watched-list.ts';
import { defineSource, type RunningSource, type SourceContext, type SourceEvents } from './source.ts';

interface KubernetesSettings extends AccessSettings {
  /** '' for that of the pod or of the kubeconfig's context. */
  readonly namespace: string;
  readonly service: string;
  /** Name in the slices, or number in the service; null for the only port. */
  readonly port: string | number | null;
  readonly protocol: 'http' | 'https';
  readonly family: Family;
  readonly hintedZone: string;
  /** How much one watch covers. */
  readonly watch: 'service' | 'namespace' | 'cluster';
}

export const kubernetes = defineSource({
  name: 'kubernetes',
  summary: 'The endpoints of a Kubernetes service, by list and watch of its EndpointSlices.',
  example: '{ namespace: shop, service: api, port: http }',
  options: ({ z, text, count, filePath }) => ({
    service: text(parseName, { expects: 'the name of a service', example: 'api' }).describe('Name of the service.'),
    namespace: text(parseName, { expects: 'the name of a namespace', example: 'shop' })
      .describe("Namespace of the service; that of Fairlead's pod, or of the kubeconfig's context, if absent.")
      .optional(),
    port: z
      .union([text(parseName, { expects: 'the name of a port', example: 'http' }), count(1, 65_535)])
      .meta({ expects: 'the name or number of a port of the service', example: 'http' })
      .describe('Port of the service, by name or number; the only one if absent.')
      .optional(),
    scheme: z.enum(['http', 'https']).default('http').describe('Scheme of the endpoints.'),
    family: z
      .enum(['IPv4', 'IPv6'])
      .default('IPv4')
      .describe('Address used for pods that have one of each family. Pods with one address are used in any case.'),
    hintsFor: text(parseZone, { expects: 'the name of a zone', example: 'eu-1a' })
      .describe('Follows topology hints for this zone: endpoints that are meant for other zones are backups.')
      .optional(),
    watch: z
      .enum(['service', 'namespace', 'cluster'])
      .default('service')
      .describe(
        'How much one watch covers. Sources with an equal watch share it: `namespace` or `cluster` for many upstreams.',
      ),
    kubeconfig: filePath('kubeconfig.yaml')
      .describe("A kubeconfig; the service account of Fairlead's pod if absent.")
      .optional(),
    context: z.string().min(1).describe('Context of the kubeconfig; its current one if absent.').optional(),
  }),
  check({ kubeconfig, context, scheme }, { serverName }): readonly OptionProblem[] {
    const problems: OptionProblem[] = [];
    if (context !== undefined && kubeconfig === undefined) {
      problems.push({ code: 'FL3007', message: '"context" needs "kubeconfig"', path: ['context'], isKey: true });
    }
    if (scheme === 'https' && serverName === '') {
      const message =
        'with scheme https the upstream needs "tls.serverName": the endpoints are addresses, whose certificates have names';
      problems.push({ code: 'FL3008', message, path: ['scheme'] });
    }
    return problems;
  },
  compile: (options, { directory }): KubernetesSettings => ({
    kubeconfig: options.kubeconfig === undefined ? '' : path.resolve(directory, options.kubeconfig),
    context: options.context ?? '',
    namespace: options.namespace ?? '',
    service: options.service,
    port: options.port ?? null,
    protocol: options.scheme,
    family: options.family,
    hintedZone: options.hintsFor ?? '',
    watch: options.watch,
  }),
  describe: ({ namespace, service, port }) => `${namespace}/${service}${port === null ? '' : `:${port}`}`,
  start(settings, context, events) {
    const namespace = namespaceOf(settings, context);
    if (typeof namespace === 'string') return new ServiceWatch({ ...settings, namespace }, context, events);
    events.fail(namespace.cause);
    return { stop: () => undefined };
  },
});

/** The namespace of the service, or the reason why it isn't known. */
function namespaceOf(settings: KubernetesSettings, { files }: SourceContext): string | { readonly cause: string } {
  if (settings.namespace !== '') return settings.namespace;
  try {
    return new ApiClient(settings, files).namespace();
  } catch (error) {
    return { cause: (error as Error).message };
  }
}

/** Follows the slices of one service, and the service itself where its port is a number. */
class ServiceWatch implements RunningSource {
  readonly #settings: KubernetesSettings;
  readonly #events: SourceEvents;
  readonly #stops: (() => void)[] = [];
  #slices: readonly ApiObject[] | null = null;
  #version = '';
  /** Name of the port in the slices; undefined while it isn't known. */
  #port: string | null | undefined;

  constructor(settings: KubernetesSettings, context: SourceContext, events: SourceEvents) {
    this.#settings = settings;
    this.#events = events;
    const { port } = settings;
    this.#port = typeof port === 'number' ? undefined : port;
    if (typeof port === 'number') this.#watch('service', context, (objects) => this.#takeService(objects, port));
    this.#watch('slices', context, (objects, version) => this.#takeSlices(objects, version));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #watch(kind: 'service' | 'slices', context: SourceContext, take: (objects: Objects, version: string) => void): void {
    const listener = { onObjects: take, onFailure: (cause: string) => this.#events.fail(cause) };
    this.#stops.push(watchList(requestOf(kind, this.#settings), context, listener));
  }

  #takeService(objects: Objects, port: number): void {
    const { namespace, service } = this.#settings;
    const found = objects.get(`${namespace}/${service}`);
    const entry = listAt(found, 'spec', 'ports').find((one) => numberAt(one, 'port') === port);
    if (found === undefined) return this.#events.fail(`there is no service ${namespace}/${service}`);
    if (entry === undefined) return this.#events.fail(`service ${namespace}/${service} has no port ${port}`);
    this.#port = textAt(entry, 'name');
    this.#publish();
  }

  #takeSlices(objects: Objects, version: string): void {
    const { namespace, service } = this.#settings;
    this.#slices = [...objects.values()].filter((slice) => {
      const isOfService = textsAt(slice, 'metadata', 'labels')[SERVICE_LABEL] === service;
      return isOfService && textAt(slice, 'metadata', 'namespace') === namespace;
    });
    this.#version = version;
    this.#publish();
  }

  #publish(): void {
    if (this.#slices === null || this.#port === undefined) return;
    const { namespace, service } = this.#settings;
    // A service without pods has a slice without endpoints; without a slice there is no such service.
    if (this.#slices.length === 0) return this.#events.fail(`service ${namespace}/${service} has no EndpointSlice`);
    const found = endpointsOfSlices(this.#slices, { ...this.#settings, port: this.#port });
    if (found.ok) this.#events.publish({ version: this.#version, endpoints: found.endpoints });
    else this.#events.fail(found.cause);
  }
}

function requestOf(kind: 'service' | 'slices', settings: KubernetesSettings): ListRequest {
  const { kubeconfig, context, namespace, service, watch } = settings;
  const group = kind === 'service' ? '/api/v1' : '/apis/discovery.k8s.io/v1';
  const resource = kind === 'service' ? 'services' : 'endpointslices';
  const scope = watch === 'cluster' ? '' : `/namespaces/${namespace}`;
  const selector = kind === 'service' ? `metadata.name=${service}` : `${SERVICE_LABEL}=${service}`;
  const parameter = kind === 'service' ? 'fieldSelector' : 'labelSelector';
  return {
    access: { kubeconfig, context },
    path: `${group}${scope}/${resource}`,
    query: watch === 'service' ? `${parameter}=${encodeURIComponent(selector)}` : '',
  };
}

/** Names of services, namespaces and ports are DNS labels (RFC 1123). */
function parseName(text: string): ParsedOption<string> {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${JSON.stringify(text)} is not a Kubernetes name such as api` };
}

function parseZone(text: string): ParsedOption<string> {
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${JSON.stringify(text)} is not the name of a zone such as eu-1a` };
}
