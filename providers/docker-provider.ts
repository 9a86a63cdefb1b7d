// Provider `docker`: labels of the containers of a Docker or Podman engine as routes and upstreams, whose endpoints the
// source `docker` follows. Thread: main.

import { parseEvent } from '../discovery/docker/container-event.ts';
import { checkEngine, engineFault, engineOptions } from '../discovery/docker/engine.ts';
import { EngineWatch, RESYNC_MS } from '../discovery/docker/engine-watch.ts';
import type { HttpClient } from '../discovery/http/http-client.ts';
import { compileAccess, describeAddress, type HttpAddress, type HttpTls } from '../discovery/http/http-settings.ts';
import { containerFragment, type ContainerRouteSettings } from './docker/container-routes.ts';
import { type LabelledContainer, labelledContainers } from './docker/labelled-container.ts';
import { defineProvider, type ProviderContext, type ProviderEvents, type RunningProvider } from './provider.ts';

/** All containers: Podman refuses a filter with a status that it doesn't have, such as `restarting`. */
const CONTAINERS = '/containers/json?all=true';

interface DockerProviderSettings extends ContainerRouteSettings {
  readonly address: HttpAddress;
  readonly tls: HttpTls;
}

export const dockerProvider = defineProvider({
  name: 'docker',
  summary: 'Routes and upstreams from labels of the containers of a Docker or Podman engine.',
  example: '{ listeners: web }',
  options: (schemas) => ({
    ...engineOptions(schemas),
    listeners: schemas
      .oneOrMany(schemas.name())
      .describe('Listeners that serve the routes; all listeners for HTTP if absent.')
      .optional(),
  }),
  check: (options) => checkEngine(options),
  compile(options, { directory, listeners, upstreams }): DockerProviderSettings {
    const { address, network, reach } = options;
    const { tls } = compileAccess({ tls: options.tls }, directory);
    const { ca, cert, key, serverName, verify } = tls;
    const files = { ...(ca.length > 0 && { ca }), ...(cert !== '' && { cert, key }) };
    const access = { ...files, ...(serverName !== '' && { serverName }), verify };
    const engine = {
      address: describeAddress(address),
      ...(options.tls !== undefined && { tls: access }),
      ...(network !== undefined && { network }),
      reach,
    };
    const served = listeners.filter(({ name }) => options.listeners?.includes(name) ?? true);
    return { address, tls, engine, listeners: served, ownUpstreams: upstreams };
  },
  describe: ({ address }) => describeAddress(address),
  start: (settings, context, events) => new DockerProvider(settings, context, events),
});

class DockerProvider implements RunningProvider {
  readonly #settings: DockerProviderSettings;
  readonly #events: ProviderEvents;
  readonly #watch: EngineWatch;
  #containers: readonly LabelledContainer[] = [];

  constructor(settings: DockerProviderSettings, context: ProviderContext, events: ProviderEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#watch = new EngineWatch(settings.address, settings.tls, context, {
      onEvent: concernsLabels,
      read: (client, signal) => this.#read(client, signal),
      onRead: () => this.#publish(),
      onFailure: (cause) => events.fail(cause),
      resyncMs: () => RESYNC_MS,
    });
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** @returns the cause where it fails */
  async #read(client: HttpClient, signal: AbortSignal): Promise<string> {
    const reply = await client.send({ path: CONTAINERS, signal });
    if (!reply.ok || reply.status !== 200) return engineFault(reply);
    const containers = labelledContainers(reply.text);
    if (containers === null) return 'the list of containers is malformed';
    this.#containers = containers;
    return '';
  }

  #publish(): void {
    const version = `${this.#containers.length} container(s)`;
    this.#events.publish({ version, ...containerFragment(this.#containers, this.#settings) });
  }
}

/** Health checks change no label. */
function concernsLabels(line: string): boolean {
  const event = parseEvent(line, () => '');
  return event !== null && event.kind !== 'checked';
}
