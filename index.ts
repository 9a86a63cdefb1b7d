// Package entry for programs: `createFairlead` starts a balancer inside another Node program or its tests. Thread: main.

import './core/supported-node.ts';
import process from 'node:process';
import { loadConfig, loadConfigText, type LoadResult } from './config/load.ts';
import type { ConfigInput } from './config/schema/schema.ts';
import type { Admin } from './core/availability.ts';
import { systemClock } from './core/clock.ts';
import type { EndpointView } from './health/record/endpoint-view.ts';
import type { HealthEvent } from './health/record/health-events.ts';
import { type MainLogger, openFunctionLog, openMainLog } from './logging/process-log.ts';
import { ControlPlane } from './control/control-plane.ts';
import { ConfigError, type ReloadResult } from './control/reload.ts';
import { defineBalancer } from './balancers/descriptor.ts';
import { definePolicy } from './core/policy/policy-definition.ts';
import { defineChecker } from './health/checkers/checker.ts';
import { defineLogFormat } from './logging/access/format-descriptor.ts';
import type { ConfigPart } from './providers/provider.ts';
import { definePlugin } from './plugins/define.ts';
import { readVersion } from './config/files/package-files.ts';

export { ConfigError, defineBalancer, defineChecker, defineLogFormat, definePlugin, definePolicy };
export type { Admin, ConfigInput, EndpointView, HealthEvent, ReloadResult };

/** A configuration: an object with the keys of the YAML, the YAML as text, or the path of a file. */
export type ConfigSource = { readonly config: ConfigInput } | { readonly yaml: string } | { readonly file: string };

export type FairleadOptions = ConfigSource & {
  /** Variables for `${NAME}` in the configuration; default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Base of relative paths in `config` and `yaml`; default: the working directory. */
  readonly directory?: string;
  /**
   * Destination of the process log: 'stderr' (the default), 'none', or a function that receives each line
   * and must not throw. `log.level` of the configuration applies to all of them, `log.format` to 'stderr'.
   */
  readonly log?: 'stderr' | 'none' | ((line: FairleadLogLine) => void);
};

/** A line of the process log. */
export interface FairleadLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: object;
}

/** A bound listener. Port 0 in the configuration is the port that the system chose. */
export interface FairleadListener {
  readonly name: string;
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** A running balancer. Worker threads serve traffic; the calling thread runs health checks and applies configurations. */
export interface Fairlead extends AsyncDisposable {
  readonly listeners: readonly FairleadListener[];
  /** `host:port` of the admin API, or its Unix socket; null where the configuration has no `admin`. */
  readonly admin: string | null;
  /** Every endpoint with its state, the cause of the state, and its latest heartbeats. */
  endpoints(): readonly EndpointView[];
  /**
   * Drains an endpoint, takes it out for maintenance, or puts it back, as `fairlead drain|maintain|ready` do.
   * @param endpoint its name: `upstream/host:port`
   * @throws RangeError where there is no such endpoint
   */
  setState(endpoint: string, state: Admin): void;
  /** Gives an endpoint another weight until the configuration's changes. @throws RangeError for no such endpoint or weight */
  setWeight(endpoint: string, weight: number): void;
  /** Calls `listener` for every change of an endpoint's state; it must not throw. Returns the function that unsubscribes. */
  onEvent(listener: (event: HealthEvent) => void): () => void;
  /**
   * Applies another configuration without losing a request; without an argument, reads the file again. A configuration
   * that is refused changes nothing; the result has the reasons.
   */
  reload(next?: ConfigSource): Promise<ReloadResult>;
  /**
   * Stops accepting, lets exchanges in flight finish for `graceMs` (default: 0), and cuts the rest. When it resolves, no
   * thread, socket or timer of the balancer is left.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Starts a balancer. Resolves when it serves.
 * @throws ConfigError with every problem of the configuration; an error with the reason where an address can't be bound.
 *   Nothing is left running then.
 */
export async function createFairlead(options: FairleadOptions): Promise<Fairlead> {
  const environment = options.environment ?? process.env;
  let source: ConfigSource = options;
  const log = logOf(options.log ?? 'stderr');
  const plane = new ControlPlane({
    load: (parts) => load(source, options, environment, parts),
    environment: {},
    version: await readVersion(),
    log,
  });
  await plane.start();
  const close = async ({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> => {
    if (graceMs > 0) await plane.drain(graceMs, 0, 0);
    await plane.close();
    log.flushNow();
  };
  return {
    get listeners() {
      return plane.bound;
    },
    get admin() {
      return plane.adminAddress;
    },
    endpoints: () => plane.health.endpoints(),
    setState: (endpoint, state) =>
      mustExist(plane.health.setAdmin(upstreamOf(endpoint), endpoint, state, AUTHOR), endpoint),
    setWeight: (endpoint, weight) =>
      mustExist(plane.health.setWeight(upstreamOf(endpoint), endpoint, weight, AUTHOR), endpoint),
    onEvent: (listener) => plane.health.events.subscribe(listener),
    reload: (next) => {
      source = next ?? source;
      return plane.reload();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Author of changes, for log and events. */
const AUTHOR = 'the embedding program';

function load(
  source: ConfigSource,
  { directory }: FairleadOptions,
  environment: Environment,
  parts: readonly ConfigPart[],
): LoadResult {
  if ('file' in source) return loadConfig(source.file, environment, parts);
  // JSON is YAML: problems of an object then have a line and a column in that text.
  const text = 'yaml' in source ? source.yaml : JSON.stringify(source.config, null, 2);
  const file = 'yaml' in source ? '(yaml)' : '(config)';
  return loadConfigText(text, {
    file,
    directory: directory ?? process.cwd(),
    environment,
    wallMs: systemClock.wallMs(),
    parts,
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

function upstreamOf(endpoint: string): string {
  return endpoint.slice(0, Math.max(0, endpoint.indexOf('/')));
}

function mustExist(isThere: boolean, endpoint: string): void {
  if (!isThere) throw new RangeError(`there is no endpoint "${endpoint}": names are upstream/host:port`);
}

function logOf(wanted: NonNullable<FairleadOptions['log']>): MainLogger {
  if (wanted === 'stderr') return openMainLog({ level: 'info' });
  const take = wanted === 'none' ? () => undefined : wanted;
  return openFunctionLog((level, fields, text) => take({ level, fields, text }));
}
