// Source `docker`: the containers of a Docker or Podman engine that are labelled for an upstream, followed by events: a
// container that begins to stop leaves before it does. Thread: main.

import type { OptionProblem } from '../core/option-schema.ts';
import type { TimerHandle } from '../core/timers.ts';
import { parseEvent } from './docker/container-event.ts';
import { type Container, type ContainerSelection, parseContainer, selectedContainers } from './docker/container.ts';
import { checkEngine, ENGINE_EVENTS, engineFault, engineOptions, wordOption } from './docker/engine.ts';
import { checkScheme, schemeOption } from './endpoint-parts.ts';
import { HttpClient } from './http/http-client.ts';
import { compileAccess, describeAddress, type HttpAddress, type HttpTls } from './http/http-settings.ts';
import { type StepOutcome, WatchLoop } from './http/watch-loop.ts';
import { defineSource, type RunningSource, type SourceContext, type SourceEvents } from './source.ts';

/** Containers are read this many at a time. */
const AT_A_TIME = 8;
/** Events within this time are followed together. */
const SETTLE_MS = 50;
/** Containers are read again after this time, whatever events say: some engines leave events out. */
const RESYNC_MS = 30_000;
const JITTER = 0.1;
/** Podman reports a health check when it begins: its result is there a moment later. */
const RESULT_MS = 1_000;
/** Containers are read again after this time where reading them failed. */
const AGAIN_MS = 2_000;
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
  readonly #client: HttpClient;
  readonly #loop: WatchLoop;
  readonly #end = new AbortController();
  #containers: readonly Container[] = [];
  /** Containers that are about to stop, until they start again. */
  readonly #leaving = new Set<string>();
  #isRead = false;
  #isReading = false;
  /** Whether something has changed since the current reading began. */
  #isDirty = false;
  /** Whether a health check has been reported since. */
  #isChecked = false;
  #timer: TimerHandle | null = null;

  constructor(settings: DockerSettings, context: SourceContext, events: SourceEvents) {
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    this.#client = new HttpClient(settings.address, settings.tls, context);
    this.#loop = new WatchLoop(
      context,
      (signal) => this.#watch(signal),
      (cause) => this.#onFailure(cause),
    );
    this.#loop.start();
  }

  stop(): void {
    this.#end.abort();
    this.#timer?.cancel();
    this.#loop.stop();
    this.#client.close();
  }

  /** Follows events. Containers are read at the start as well as when the stream stands, so that no change is lost between. */
  async #watch(signal: AbortSignal): Promise<StepOutcome> {
    this.#plan(0);
    const request = { path: ENGINE_EVENTS, timeoutMs: 0, signal };
    const end = await this.#client.stream(
      request,
      (line) => this.#onEvent(line),
      () => this.#plan(0),
    );
    return { ok: false, cause: end.ok && end.status === 200 ? 'the stream of events has ended' : engineFault(end) };
  }

  #onFailure(cause: string): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#events.fail(cause);
  }

  #onEvent(line: string): void {
    const stopSignalOf = (id: string): string => this.#containers.find((one) => one.id === id)?.stopSignal ?? '';
    const event = parseEvent(line, stopSignalOf);
    if (event === null) return;
    if (event.kind === 'started') this.#leaving.delete(event.id);
    if (event.kind === 'checked') this.#isChecked = true;
    if (event.kind === 'leaving') {
      const isNews = !this.#leaving.has(event.id) && this.#containers.some(({ id }) => id === event.id);
      this.#leaving.add(event.id);
      if (isNews && this.#isRead) this.#publish();
    }
    this.#plan(SETTLE_MS);
  }

  #plan(delayMs: number): void {
    if (this.#end.signal.aborted) return;
    this.#isDirty = true;
    this.#timer?.cancel();
    this.#timer = this.#context.timers.after(delayMs, () => void this.#read());
  }

  /** Reads all containers. One reading at a time; changes meanwhile begin another. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#isDirty = false;
    const cause = await this.#readAll();
    this.#isReading = false;
    if (this.#end.signal.aborted) return;
    if (cause === '') {
      this.#isRead = true;
      this.#loop.confirm();
      this.#publish();
    } else this.#events.fail(cause);
    this.#timer?.cancel();
    this.#timer = this.#context.timers.after(this.#nextMs(cause !== ''), () => void this.#read());
  }

  /** Time until the next reading, unless an event comes first. */
  #nextMs(hasFailed: boolean): number {
    if (this.#isDirty) return SETTLE_MS;
    const isChecked = this.#isChecked;
    this.#isChecked = false;
    if (hasFailed) return AGAIN_MS;
    return isChecked ? RESULT_MS : RESYNC_MS * (1 - JITTER * this.#context.random.next());
  }

  /** @returns the cause where it fails */
  async #readAll(): Promise<string> {
    const { signal } = this.#end;
    const list = await this.#client.send({ path: RUNNING, signal });
    if (!list.ok || list.status !== 200) return engineFault(list);
    const selected = selectedContainers(list.text, this.#settings);
    if (!selected.ok) return selected.cause;
    const containers: Container[] = [];
    for (let at = 0; at < selected.ids.length; at += AT_A_TIME) {
      const batch = selected.ids.slice(at, at + AT_A_TIME);
      const replies = await Promise.all(
        batch.map((id) => this.#client.send({ path: `/containers/${id}/json`, signal })),
      );
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
