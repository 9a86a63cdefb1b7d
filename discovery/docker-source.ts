// Source `docker`: the containers of a Docker or Podman engine that are labelled for an upstream, followed by events: a
// container that begins to stop leaves before it does. Thread: main.

import type { OptionProblem } from '../core/option-schema.ts';
import { parseEvent } from './docker/container-event.ts';
import { type Container, type ContainerSelection, parseContainer, selectedContainers } from './docker/container.ts';
import { checkEngine, engineFault, engineOptions, wordOption } from './docker/engine.ts';
import { EngineWatch, RESYNC_MS } from './docker/engine-watch.ts';
import { checkScheme, schemeOption } from './endpoint-parts.ts';
import type { HttpClient } from './http/http-client.ts';
import { compileAccess, describeAddress, type HttpAddress, type HttpTls } from './http/http-settings.ts';
import { defineSource, type RunningSource, type SourceContext, type SourceEvents } from './source.ts';

/** Containers are read this many at a time. */
const AT_A_TIME = 8;
const JITTER = 0.1;
/** Podman reports a health check when it begins: its result is there a moment later. */
const RESULT_MS = 1_000;
const RUNNING = '/containers/json?filters=%7B%22status%22%3A%5B%22running%22%5D%7D';
const LOOPBACK = '127.0.0.1';

interface DockerSettings extends ContainerSelection {
  readonly address: HttpAddress;
  readonly tls: HttpTls;
}

export const docker = defineSource({
  name: 'docker',
  summary: 'The containers of a Docker or Podman engine that a label assigns to the upstream.',
  example: '{ port: 3000 }',
  options: (schemas) => {
    const { z, count } = schemas;
    const { address, tls, network, reach } = engineOptions(schemas);
    return {
      address,
      tls,
      upstream: wordOption(schemas, 'api')
        .describe('Value of the label `fairlead.upstream` of the containers. If absent, the name of the upstream.')
        .optional(),
      service: wordOption(schemas, 'api')
        .describe('Compose service whose containers are endpoints without a label, whatever their number.')
        .optional(),
      project: wordOption(schemas, 'shop').describe('Compose project of the service; all if absent.').optional(),
      port: count(1, 65_535)
        .describe(
          'Port inside of the containers. The label `fairlead.port` comes first; if both are absent, the only exposed one.',
        )
        .optional(),
      network,
      reach,
      scheme: schemeOption(z),
    };
  },
  check(options, { serverName }): readonly OptionProblem[] {
    const problems = [...checkEngine(options), ...checkScheme(options.scheme, serverName)];
    if (options.project !== undefined && options.service === undefined) {
      problems.push({ code: 'FL3007', message: '"project" needs "service"', path: ['project'], isKey: true });
    }
    return problems;
  },
  compile: (options, { upstream, directory }): DockerSettings => ({
    address: options.address,
    tls: compileAccess({ tls: options.tls }, directory).tls,
    upstream: options.upstream ?? upstream,
    service: options.service ?? '',
    project: options.project ?? '',
    network: options.network ?? '',
    port: options.port ?? 0,
    isPublished: options.reach === 'published',
    engineHost: options.address.socketPath === '' ? options.address.host : LOOPBACK,
    scheme: options.scheme,
  }),
  describe: ({ address, upstream, service }) => `${service === '' ? upstream : service} at ${describeAddress(address)}`,
  start: (settings, context, events) => new ContainerWatch(settings, context, events),
});

class ContainerWatch implements RunningSource {
  readonly #settings: DockerSettings;
  readonly #context: SourceContext;
  readonly #events: SourceEvents;
  readonly #watch: EngineWatch;
  #containers: readonly Container[] = [];
  /** Containers that are about to stop, until they start again. */
  readonly #leaving = new Set<string>();
  #isRead = false;
  /** Whether a health check has been reported since. */
  #isChecked = false;

  constructor(settings: DockerSettings, context: SourceContext, events: SourceEvents) {
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    this.#watch = new EngineWatch(settings.address, settings.tls, context, {
      onEvent: (line) => this.#onEvent(line),
      read: (client, signal) => this.#read(client, signal),
      onRead: () => this.#onRead(),
      onFailure: (cause) => events.fail(cause),
      resyncMs: () => this.#resyncMs(),
    });
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  #onEvent(line: string): boolean {
    const stopSignalOf = (id: string): string => this.#containers.find((one) => one.id === id)?.stopSignal ?? '';
    const event = parseEvent(line, stopSignalOf);
    if (event === null) return false;
    if (event.kind === 'started') this.#leaving.delete(event.id);
    if (event.kind === 'checked') this.#isChecked = true;
    if (event.kind === 'leaving') {
      const isNews = !this.#leaving.has(event.id) && this.#containers.some(({ id }) => id === event.id);
      this.#leaving.add(event.id);
      if (isNews && this.#isRead) this.#publish();
    }
    return true;
  }

  #onRead(): void {
    this.#isRead = true;
    this.#publish();
  }

  #resyncMs(): number {
    const isChecked = this.#isChecked;
    this.#isChecked = false;
    return isChecked ? RESULT_MS : RESYNC_MS * (1 - JITTER * this.#context.random.next());
  }

  /** @returns the cause where it fails */
  async #read(client: HttpClient, signal: AbortSignal): Promise<string> {
    const list = await client.send({ path: RUNNING, signal });
    if (!list.ok || list.status !== 200) return engineFault(list);
    const selected = selectedContainers(list.text, this.#settings);
    if (!selected.ok) return selected.cause;
    const containers: Container[] = [];
    for (let at = 0; at < selected.ids.length; at += AT_A_TIME) {
      const batch = selected.ids.slice(at, at + AT_A_TIME);
      const replies = await Promise.all(batch.map((id) => client.send({ path: `/containers/${id}/json`, signal })));
      for (const reply of replies) {
        // It has gone since the list was made.
        if (reply.ok && reply.status === 404) continue;
        if (!reply.ok || reply.status !== 200) return engineFault(reply);
        const container = parseContainer(reply.text, this.#settings);
        if (container === null) return 'the description of a container is malformed';
        containers.push(container);
      }
    }
    this.#containers = containers;
    const present = new Set(containers.map(({ id }) => id));
    for (const id of this.#leaving) if (!present.has(id)) this.#leaving.delete(id);
    return '';
  }

  /** Where all health checks fail, containers that run stay: a mass failure of checks shall not take everybody out. */
  #publish(): void {
    const running = this.#containers.filter(({ id, state }) => state !== 'stopped' && !this.#leaving.has(id));
    const healthy = running.filter(({ state }) => state === 'healthy');
    const serving = healthy.length > 0 ? healthy : running.filter(({ state }) => state === 'unhealthy');
    const problems = serving.flatMap(({ endpoint }) => (typeof endpoint === 'string' ? [endpoint] : []));
    const endpoints = serving.flatMap(({ endpoint }) => (typeof endpoint === 'string' ? [] : [endpoint]));
    const version = `${serving.length} of ${this.#containers.length} container(s)`;
    this.#events.publish({ version, endpoints, ...(problems.length > 0 && { outdated: problems.join('; ') }) });
  }
}
