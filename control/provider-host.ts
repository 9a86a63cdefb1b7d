// The providers of the configuration: starts and stops them, loads the file together with what they contribute, and adds
// their certificates to listeners. An object that is refused takes nothing else with it. Thread: main.

import { type CompileTables, compile } from '../config/compile/compile.ts';
import { certificateNames, checkCertificate } from '../config/files/certificate.ts';
import { listFiles } from '../config/files/endpoint-list.ts';
import { type Origins, originsOf } from '../config/include/provided-files.ts';
import type { LoadedConfig, LoadResult } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { CertificateSnapshot, ListenerSnapshot } from '../core/snapshot/listener.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import { FirstReports } from '../discovery/first-reports.ts';
import type { ConfigPart, Fragment, ProvidedCertificate, Refusal, ServedListener } from '../providers/provider.ts';
import { type ProviderEvent, ProviderRunner, type ProviderStatus } from '../providers/provider-runner.ts';
import { providerNamed } from '../providers/providers.ts';
import { loadOrThrow } from './reload.ts';
import type { SnapshotConsumer, SnapshotGate } from './snapshot-owner.ts';

/** Changes within this time make one reload. */
const COALESCE_MS = 100;
/** Least time between two reloads that providers cause: each builds a Runtime in every worker. */
const BETWEEN_RELOADS_MS = 1_000;
/** At the start, listeners wait this long for the first report of each provider: without it, clients would get 404. */
const FIRST_REPORT_MS = 10_000;

export interface ProviderHostParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly tables: CompileTables;
  /** Loads the file with parts of providers. */
  readonly load: (parts: readonly ConfigPart[]) => LoadResult;
  /** Loads the configuration again, and publishes it. */
  readonly reload: () => Promise<unknown>;
  readonly onEvent: (event: ProviderEvent) => void;
}

type Settings = LoadedConfig['settings'];

interface FirstConfig {
  readonly config: LoadedConfig;
  readonly snapshot: Snapshot;
}

export class ProviderHost implements SnapshotGate, SnapshotConsumer {
  readonly #parts: ProviderHostParts;
  /** By name and settings: a provider restarts when its settings change. */
  readonly #runners = new Map<string, ProviderRunner>();
  /** Of the last configuration that was loaded, by origin. */
  #refused = new Map<string, string>();
  /** The fragments of that configuration. */
  #loaded: readonly Fragment[] = [];
  /** Refusals that were logged, as texts. */
  #logged = new Set<string>();
  #timer: TimerHandle | null = null;
  #origins: Origins | null = null;
  #reloadedAtMs = -Infinity;
  /** Whether changes cause reloads: not before the first configuration is published. */
  #isOpen = false;
  readonly #reports = new FirstReports();

  constructor(parts: ProviderHostParts) {
    this.#parts = parts;
  }

  /**
   * Starts the providers of the first configuration. Resolves when each has reported something, or after ten seconds, with
   * what runs then. @param config of the file alone @param snapshot of it @throws ConfigError, CapacityError
   */
  async start(config: LoadedConfig, snapshot: Snapshot): Promise<FirstConfig> {
    this.#retain(config);
    const isDone = (): boolean => [...this.#runners.values()].every(({ hasReported }) => hasReported);
    await this.#reports.wait(isDone, this.#parts.timers, FIRST_REPORT_MS);
    if (!this.#isContributing) return { config, snapshot };
    const loaded = loadOrThrow(() => this.load(), this.#parts.log);
    return { config: loaded, snapshot: compile(loaded, this.#parts.tables, snapshot.revision) };
  }

  get #isContributing(): boolean {
    return [...this.#runners.values()].some(({ fragment }) => fragment.parts.length > 0);
  }

  /**
   * Loads the file with all parts. Objects with an error are left out, and the rest is loaded again; an error that is in
   * none of them is the result.
   */
  load(): LoadResult {
    const fragments = this.#fragments();
    let parts = fragments.flatMap((fragment) => fragment.parts);
    const refused = new Map<string, string>();
    for (;;) {
      const result = this.#parts.load(parts);
      if (result.ok) {
        this.#refused = refused;
        this.#loaded = fragments;
        const origins = objectsOf({ parts, certificates: [] });
        return { ...result, warnings: result.warnings.filter(({ file }) => !origins.has(file)) };
      }
      const faulty = faultsOf(result, parts);
      if (faulty.size === 0) return result;
      for (const [origin, cause] of faulty) refused.set(origin, cause);
      parts = parts.filter(({ origin }) => !faulty.has(origin));
    }
  }

  /** A configuration has been published: starts and stops providers, and reports refusals. */
  published(config: LoadedConfig): void {
    this.#isOpen = true;
    this.#origins = config.origins;
    this.#retain(config);
    this.#reportRefusals();
  }

  /** Adds certificates to listeners with `tls.fromProviders`. */
  prepare(next: Snapshot): Promise<Snapshot> {
    if (next.listeners.every(({ tls }) => tls?.fromProviders !== true)) return Promise.resolve(next);
    const usable = this.#usableCertificates();
    const listeners = next.listeners.map((listener): ListenerSnapshot => {
      const { tls } = listener;
      if (tls?.fromProviders !== true) return listener;
      const own = usable.filter(({ listeners: names }) => names.length === 0 || names.includes(listener.name));
      const added = own.map(
        ({ cert, key, origin }): CertificateSnapshot => ({
          cert,
          key,
          names: certificateNames(cert),
          files: null,
          origin,
        }),
      );
      return Object.freeze({ ...listener, tls: { ...tls, certificates: [...tls.certificates, ...added] } });
    });
    return Promise.resolve(Object.freeze({ ...next, listeners }));
  }

  apply(): void {
    // Providers are kept by `published`, which has the settings.
  }

  stop(): void {
    this.#timer?.cancel();
    for (const runner of this.#runners.values()) runner.stop();
    this.#runners.clear();
  }

  /** Objects that define routes and upstreams of the configuration that runs; null where there are none. */
  get origins(): Origins | null {
    return this.#origins;
  }

  views(): readonly ProviderStatus[] {
    return [...this.#runners.values()].map((runner) => {
      const accepted = [...objectsOf(runner.fragment)].filter((origin) => !this.#refused.has(origin)).length;
      return { ...runner.view, accepted, refused: this.#refusalsOf(runner) };
    });
  }

  #retain({ settings, directory, origins }: LoadedConfig): void {
    const before = new Map(this.#runners);
    this.#runners.clear();
    const upstreams = Object.keys(settings.upstreams).filter((name) => origins?.upstreams[name] === undefined);
    const place = { directory, listeners: servedBy(settings.listeners), upstreams };
    for (const [name, options] of Object.entries(settings.providers)) {
      const compiled = providerNamed(name).compile(options, place);
      const key = JSON.stringify([name, compiled]);
      const same = before.get(key);
      const replaced = [...before.values()].find((runner) => runner.name === name);
      this.#runners.set(key, same ?? this.#run(name, compiled, replaced?.fragment));
    }
    const kept = new Set(this.#runners.values());
    const names = new Set([...kept].map(({ name }) => name));
    for (const runner of before.values()) {
      if (kept.has(runner)) continue;
      runner.stop();
      if (!names.has(runner.name) && runner.fragment.parts.length > 0) this.#plan();
    }
  }

  #run(name: string, settings: object, before?: Fragment): ProviderRunner {
    const { clock, timers, random, log, onEvent } = this.#parts;
    const context = { clock, timers, random, log, files: listFiles(this.#parts) };
    const onReport = (): void => this.#reports.reported();
    const parts = { clock, log, onReport, onEvent, onChange: () => this.#plan() };
    return new ProviderRunner(name, settings, context, parts, before);
  }

  #plan(): void {
    if (!this.#isOpen || this.#timer !== null) return;
    const { timers, clock, reload } = this.#parts;
    const delayMs = Math.max(COALESCE_MS, this.#reloadedAtMs + BETWEEN_RELOADS_MS - clock.nowMs());
    this.#timer = timers.after(delayMs, () => {
      this.#timer = null;
      if (contentOf(this.#fragments()) === contentOf(this.#loaded)) return this.#adopt();
      this.#reloadedAtMs = clock.nowMs();
      void reload();
    });
  }

  /**
   * Other objects define what runs already, such as a replica in place of one that has ended, or others are refused: no
   * revision is needed for that.
   */
  #adopt(): void {
    const [before, now] = [this.#loaded, this.#fragments()].map((fragments) => fragments.flatMap(contributionsOf));
    const renamed = new Map(before!.map(({ origin }, at) => [origin, now![at]!.origin]));
    this.#refused = new Map([...this.#refused].map(([origin, cause]) => [renamed.get(origin) ?? origin, cause]));
    this.#loaded = this.#fragments();
    const parts = this.#loaded.flatMap((fragment) => fragment.parts);
    this.#origins = originsOf(parts.filter(({ origin }) => !this.#refused.has(origin)));
    this.#reportRefusals();
  }

  #fragments(): readonly Fragment[] {
    return [...this.#runners.values()].map(({ fragment }) => fragment);
  }

  #reportRefusals(): void {
    this.#logRefusals();
    for (const runner of this.#runners.values()) runner.applied(this.#refusalsOf(runner));
  }

  /** Certificates that OpenSSL can serve; the others are refused. */
  #usableCertificates(): ProvidedCertificate[] {
    const wallMs = this.#parts.clock.wallMs();
    const all = [...this.#runners.values()].flatMap(({ fragment }) => fragment.certificates);
    return all.filter(({ origin, cert, key }) => {
      const fault = checkCertificate(cert, key, wallMs).find(({ code }) => code !== 'FL9006');
      if (fault === undefined) return true;
      this.#refused.set(origin, `the ${fault.part === 'cert' ? 'certificate' : 'key'} ${fault.message}`);
      return false;
    });
  }

  #refusalsOf({ fragment }: ProviderRunner): readonly Refusal[] {
    const own = objectsOf(fragment);
    const found = [...this.#refused].flatMap(([origin, cause]) => (own.has(origin) ? [{ origin, cause }] : []));
    return [...fragment.refused, ...found];
  }

  #logRefusals(): void {
    const now = new Set<string>();
    for (const runner of this.#runners.values()) {
      for (const { origin, cause } of this.#refusalsOf(runner)) {
        const text = `${origin} is refused: ${cause}`;
        now.add(text);
        if (this.#logged.has(text)) continue;
        const { log, clock, onEvent } = this.#parts;
        log.warn({ provider: runner.name, origin, cause }, text);
        onEvent({ at: clock.wallMs(), provider: runner.name, change: 'refused', object: origin, cause });
      }
    }
    this.#logged = now;
  }
}

type Contributing = Pick<Fragment, 'parts' | 'certificates'>;

function contributionsOf({ parts, certificates }: Contributing): readonly (ConfigPart | ProvidedCertificate)[] {
  return [...parts, ...certificates];
}

/** Objects that contribute to a fragment. */
function objectsOf(fragment: Contributing): Set<string> {
  return new Set(contributionsOf(fragment).map(({ origin }) => origin));
}

/** The contributions as text, whichever objects make them. */
function contentOf(fragments: readonly Fragment[]): string {
  return JSON.stringify(fragments.flatMap(contributionsOf).map((one) => ({ ...one, origin: '' })));
}

function servedBy(listeners: Settings['listeners']): ServedListener[] {
  return listeners.flatMap(({ name, mode, bind, tls }) => {
    const port = bind.kind === 'tcp' ? bind.port : 0;
    return mode === 'http' ? [{ name, port, isTls: tls !== undefined }] : [];
  });
}

/** Origins with errors, and the first one of each. */
function faultsOf({ problems }: Extract<LoadResult, { ok: false }>, parts: readonly ConfigPart[]): Map<string, string> {
  const origins = new Set(parts.map(({ origin }) => origin));
  const found = new Map<string, string>();
  for (const { severity, file, message, path } of problems) {
    if (severity !== 'error' || !origins.has(file) || found.has(file)) continue;
    found.set(file, path === '' ? message : `${message} (${path})`);
  }
  return found;
}
