// Provider `docker`: labels of the containers of a Docker or Podman engine as routes and upstreams, whose endpoints the
// source `docker` follows. Thread: main.

import type { TimerHandle } from '../core/timers.ts';
import { parseEvent } from '../discovery/docker/container-event.ts';
import { checkEngine, ENGINE_EVENTS, engineFault, engineOptions } from '../discovery/docker/engine.ts';
import { HttpClient } from '../discovery/http/http-client.ts';
import { compileAccess, describeAddress, type HttpAddress, type HttpTls } from '../discovery/http/http-settings.ts';
import { type StepOutcome, WatchLoop } from '../discovery/http/watch-loop.ts';
import { containerFragment, type ContainerRouteSettings } from './docker/container-routes.ts';
import { labelledContainers } from './docker/labelled-container.ts';
import { defineProvider, type ProviderContext, type ProviderEvents, type RunningProvider } from './provider.ts';

/** Containers that serve, or that are about to again. */
const CONTAINERS = `/containers/json?filters=${encodeURIComponent('{"status":["running","restarting","paused"]}')}`;
/** Events within this time are followed together. */
const SETTLE_MS = 50;
/** Containers are read again after this time, whatever events say: some engines leave events out. */
const RESYNC_MS = 30_000;
/** And after this time where reading them failed. */
const AGAIN_MS = 2_000;

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
  readonly #context: ProviderContext;
  readonly #events: ProviderEvents;
  readonly #client: HttpClient;
  readonly #loop: WatchLoop;
  readonly #end = new AbortController();
  #isReading = false;
  /** Whether something has changed since the current reading began. */
  #isDirty = false;
  #timer: TimerHandle | null = null;

  constructor(settings: DockerProviderSettings, context: ProviderContext, events: ProviderEvents) {
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    this.#client = new HttpClient(settings.address, settings.tls, context);
    this.#loop = new WatchLoop(
      context,
      (signal) => this.#watch(signal),
      (cause) => events.fail(cause),
    );
    this.#loop.start();
  }

  stop(): void {
    this.#end.abort();
    this.#timer?.cancel();
    this.#loop.stop();
    this.#client.close();
  }

  /** Follows events. Containers are read when the stream stands, so that no change is lost. */
  async #watch(signal: AbortSignal): Promise<StepOutcome> {
    const request = { path: ENGINE_EVENTS, timeoutMs: 0, signal };
    const end = await this.#client.stream(
      request,
      (line) => this.#onEvent(line),
      () => this.#plan(0),
    );
    return { ok: false, cause: end.ok && end.status === 200 ? 'the stream of events has ended' : engineFault(end) };
  }

  /** Health checks change no label. */
  #onEvent(line: string): void {
    const event = parseEvent(line, () => '');
    if (event !== null && event.kind !== 'checked') this.#plan(SETTLE_MS);
  }

  #plan(delayMs: number): void {
    if (this.#end.signal.aborted) return;
    this.#isDirty = true;
    if (this.#isReading) return;
    this.#timer?.cancel();
    this.#timer = this.#context.timers.after(delayMs, () => void this.#read());
  }

  /** Reads all containers. One reading at a time; changes meanwhile begin another. */
  async #read(): Promise<void> {
    this.#isReading = true;
    this.#isDirty = false;
    const reply = await this.#client.send({ path: CONTAINERS, signal: this.#end.signal });
    this.#isReading = false;
    if (this.#end.signal.aborted) return;
    const containers = reply.ok && reply.status === 200 ? labelledContainers(reply.text) : null;
    if (containers === null) {
      const isMalformed = reply.ok && reply.status === 200;
      this.#events.fail(isMalformed ? 'the list of containers is malformed' : engineFault(reply));
    } else {
      this.#loop.confirm();
      const version = `${containers.length} container(s)`;
      this.#events.publish({ version, ...containerFragment(containers, this.#settings) });
    }
    const againMs = containers === null ? AGAIN_MS : RESYNC_MS;
    this.#timer = this.#context.timers.after(this.#isDirty ? SETTLE_MS : againMs, () => void this.#read());
  }
}
