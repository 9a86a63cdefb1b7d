// Source `consul`: the instances of a service that Consul's checks find usable, or a list in its key-value store, followed
// by blocking queries in one or several datacenters. Thread: main.

import { type OptionProblem, quoted, type ParsedOption } from '../core/option-schema.ts';
import { endpointsOf, type EndpointsOutcome, parseInstances } from './consul/consul-instances.ts';
import { parseKeys } from './consul/consul-keys.ts';
import { type Consistency, ConsulQuery, type ConsulReply } from './consul/consul-query.ts';
import { checkScheme, type Scheme, schemeOption } from './endpoint-parts.ts';
import { HttpClient } from './http/http-client.ts';
import {
  accessOptions,
  checkAccess,
  compileAccess,
  describeAddress,
  type HttpAddress,
  type HttpTls,
  type HttpToken,
  parseHttpAddress,
} from './http/http-settings.ts';
import { endpointsOfKeys } from './key-list.ts';
import {
  type DiscoveredEndpoint,
  defineSource,
  type RunningSource,
  type SourceContext,
  type SourceEvents,
} from './source.ts';

const CONSUL_PORT = 8500;
/** Consul's own limit. */
const LONGEST_WAIT_MS = 600_000;

interface ConsulSettings {
  readonly address: HttpAddress;
  readonly tls: HttpTls;
  readonly token: HttpToken;
  /** '' with `kvPrefix`. */
  readonly service: string;
  /** '' with `service`. */
  readonly kvPrefix: string;
  /** In order of preference; empty for the agent's own. */
  readonly datacenters: readonly string[];
  readonly tags: readonly string[];
  readonly onlyPassing: boolean;
  readonly taggedAddress: string;
  readonly scheme: Scheme;
  readonly consistency: Consistency;
  readonly waitMs: number;
}

export const consul = defineSource({
  name: 'consul',
  summary: 'The instances of a Consul service whose checks pass, or a list of endpoints in its key-value store.',
  example: '{ service: api }',
  options: (schemas) => {
    const { z, duration, oneOrMany, text, name } = schemas;
    const words = { expects: 'a name', example: 'api' };
    return {
      address: text((given) => parseHttpAddress(given, CONSUL_PORT), {
        expects: 'the URL of a Consul agent',
        example: 'http://127.0.0.1:8500',
      })
        .prefault('http://127.0.0.1:8500')
        .describe('Consul agent, best the one of this machine: `http://`, `https://` or `unix:`.'),
      service: text(parseName, words).describe('Name of the service whose instances are the endpoints.').optional(),
      kvPrefix: text(parseKey, { expects: 'the prefix of keys', example: 'fairlead/api/' })
        .describe('In place of `service`: keys below this prefix hold URLs, endpoints or lists of endpoints.')
        .optional(),
      tags: oneOrMany(text(parseName, { expects: 'a tag', example: 'v2' }))
        .describe('Only instances that have all of these tags.')
        .optional(),
      onlyPassing: z
        .boolean()
        .default(false)
        .describe('Whether instances with a warning are left out. Otherwise they have the weight for warnings.'),
      datacenters: oneOrMany(name())
        .describe(
          "Datacenters in order of preference: endpoints of the first are primaries, those of the others backups. The agent's own if absent.",
        )
        .optional(),
      taggedAddress: text(parseName, { expects: 'a key of tagged addresses', example: 'wan' })
        .describe('Address to use where an instance has several: the key among its tagged addresses, such as `wan`.')
        .optional(),
      scheme: schemeOption(z),
      consistency: z
        .enum(['stale', 'default', 'consistent'])
        .default('stale')
        .meta({ expects: 'stale, default or consistent', example: 'stale' })
        .describe(
          'Servers that may answer: with `stale` any that was in touch with the leader within 10 s, otherwise the leader; `consistent` makes it confirm its role.',
        ),
      wait: duration().prefault('5m').describe('Longest time for which a query waits for a change, at most 10m.'),
      ...accessOptions(schemas),
    };
  },
  check(options, { serverName }): readonly OptionProblem[] {
    const { address, service, kvPrefix, scheme, wait } = options;
    const problems = [...checkAccess(options, [address]), ...checkScheme(scheme, serverName)];
    if ((service === undefined) === (kvPrefix === undefined)) {
      const message = 'give either "service" or "kvPrefix"';
      problems.push({ code: 'FL3008', message, path: [kvPrefix === undefined ? 'service' : 'kvPrefix'] });
    }
    if (wait > LONGEST_WAIT_MS) {
      problems.push({
        code: 'FL3008',
        message: '"wait" is longer than 10m, the most that Consul waits',
        path: ['wait'],
      });
    }
    for (const key of kvPrefix === undefined ? [] : (['tags', 'taggedAddress'] as const)) {
      if (options[key] === undefined) continue;
      const message = `"${key}" is not allowed with kvPrefix: keys have none`;
      problems.push({ code: 'FL3007', message, path: [key], isKey: true });
    }
    return problems;
  },
  compile: (options, { directory }): ConsulSettings => ({
    address: options.address,
    ...compileAccess(options, directory),
    service: options.service ?? '',
    kvPrefix: options.kvPrefix ?? '',
    datacenters: options.datacenters ?? [],
    tags: options.tags ?? [],
    onlyPassing: options.onlyPassing,
    taggedAddress: options.taggedAddress ?? '',
    scheme: options.scheme,
    consistency: options.consistency,
    waitMs: options.wait,
  }),
  describe: ({ address, service, kvPrefix }) =>
    `${service === '' ? `key ${kvPrefix}` : service} at ${describeAddress(address)}`,
  start: (settings, context, events) => new ConsulWatch(settings, context, events),
});

/** One datacenter: its last known endpoints, and why they aren't current. */
interface Datacenter {
  readonly name: string;
  known: readonly DiscoveredEndpoint[] | null;
  index: number;
  cause: string;
}

class ConsulWatch implements RunningSource {
  readonly #settings: ConsulSettings;
  readonly #context: SourceContext;
  readonly #events: SourceEvents;
  readonly #client: HttpClient;
  readonly #datacenters: readonly Datacenter[];
  readonly #queries: readonly ConsulQuery[];

  constructor(settings: ConsulSettings, context: SourceContext, events: SourceEvents) {
    const { address, tls, datacenters, consistency, waitMs, token } = settings;
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    this.#client = new HttpClient(address, tls, context);
    const names = datacenters.length === 0 ? [''] : datacenters;
    this.#datacenters = names.map((name) => ({ name, known: null, index: 0, cause: '' }));
    this.#queries = this.#datacenters.map((datacenter) => {
      const query = { ...queryOf(settings, datacenter.name), consistency, waitMs, token };
      return new ConsulQuery(this.#client, query, context, {
        onReply: (reply) => this.#onReply(datacenter, reply),
        onFailure: (cause) => this.#onFailure(datacenter, cause),
      });
    });
  }

  stop(): void {
    for (const query of this.#queries) query.stop();
    this.#client.close();
  }

  #onReply(datacenter: Datacenter, reply: ConsulReply): string {
    const found = this.#read(reply);
    if (!found.ok) return found.cause;
    datacenter.known = found.endpoints;
    datacenter.index = reply.index;
    datacenter.cause = '';
    this.#report();
    return '';
  }

  #onFailure(datacenter: Datacenter, cause: string): void {
    datacenter.cause = datacenter.name === '' ? cause : `datacenter ${datacenter.name}: ${cause}`;
    this.#report();
  }

  #read({ status, text }: ConsulReply): EndpointsOutcome {
    const { kvPrefix, taggedAddress } = this.#settings;
    if (kvPrefix !== '') {
      if (status === 404) return { ok: false, cause: `no key begins with ${kvPrefix}` };
      const keys = parseKeys(text);
      return keys.ok ? endpointsOfKeys(keys.values, this.#context.parseList) : keys;
    }
    if (status === 404) return { ok: false, cause: 'status 404: this is no Consul agent' };
    const parsed = parseInstances(text, taggedAddress);
    return parsed.ok ? endpointsOf(parsed.instances, this.#settings) : parsed;
  }

  /** A set is complete when every datacenter has answered once; one that fails keeps its last known endpoints. */
  #report(): void {
    if (this.#datacenters.some(({ known, cause }) => known === null && cause === '')) return;
    const failures = this.#datacenters.map(({ cause }) => cause).filter((cause) => cause !== '');
    if (failures.length === this.#datacenters.length) return this.#events.fail([...new Set(failures)].join('; '));
    const endpoints = this.#datacenters.flatMap(({ known }, rank) =>
      (known ?? []).map((endpoint) => (rank === 0 ? endpoint : { ...endpoint, backup: true })),
    );
    const version = this.#datacenters
      .map(({ name, index }) => (name === '' ? `index ${index}` : `${name} index ${index}`))
      .join(', ');
    this.#events.publish({ version, endpoints, ...(failures.length > 0 && { outdated: failures.join('; ') }) });
  }
}

function queryOf({ service, kvPrefix, tags }: ConsulSettings, datacenter: string) {
  const dc = datacenter === '' ? [] : [`dc=${datacenter}`];
  if (service !== '') {
    const path = `/v1/health/service/${encodeURIComponent(service)}`;
    return { path, parameters: [...dc, ...tags.map((tag) => `tag=${encodeURIComponent(tag)}`)] };
  }
  return { path: `/v1/kv/${kvPrefix.split('/').map(encodeURIComponent).join('/')}`, parameters: ['recurse', ...dc] };
}

function parseName(text: string): ParsedOption<string> {
  if (/^[^\s\p{Cc}]{1,128}$/u.test(text)) return { ok: true, value: text };
  return { ok: false, message: `${quoted(text)} is not a name: 1 to 128 characters without spaces are allowed` };
}

function parseKey(text: string): ParsedOption<string> {
  if (/^[^/\s\p{Cc}][^\s\p{Cc}]{0,511}$/u.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    message: `${quoted(text)} is not the prefix of keys: write it without a leading slash or spaces`,
  };
}
