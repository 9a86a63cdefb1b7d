// `fairlead run`: runs the balancer in the foreground until a signal ends it, alone or as a generation under a holder.
// Thread: main.

import { loadConfig, type LoadResult } from '../../../config/load.ts';
import { nodeWarnings } from '../../../config/node-advisories.ts';
import { systemTimers } from '../../../core/timers.ts';
import { type MainLogger, openMainLog } from '../../../logging/process-log.ts';
import { ControlPlane } from '../../../control/control-plane.ts';
import { ConfigError } from '../../../control/reload.ts';
import { HolderLink } from '../../../control/holder/holder-link.ts';
import { ServiceManager } from '../../../control/service-manager.ts';
import { isMet, needsOf } from '../../../control/supervisor/socket-needs.ts';
import type { ConfigPart } from '../../../providers/provider.ts';
import { EXIT } from '../exit-codes.ts';
import { exitCodeOf, printProblems } from '../config/problems.ts';
import { handleSignals } from './signals.ts';
import { Terminal } from './terminal.ts';
import { watchConfig } from './watch-config.ts';
import { AdminBindError } from '../../../admin/api/admin-bind.ts';
import { BindError } from '../../../control/supervisor/bind-error.ts';

/** The holder has logged why it failed: a file that is invalid just now, above all. */
const RENEW_AGAIN_MS = 5_000;

export interface RunOptions {
  readonly file: string;
  readonly version: string;
  /** Whether to reload when the file, or one that it names, changes. */
  readonly isWatching?: boolean;
  /** Additional variables for `${NAME}` in the file. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Loads the configuration in place of the file. */
  readonly load?: () => LoadResult;
  /** Options of the command that choose the ports, for the message about a port in use. */
  readonly portOptions?: PortOptions;
}

/** Starts and returns the control plane; null after printing the reason and setting the exit code. */
export async function run(options: RunOptions): Promise<ControlPlane | null> {
  const link = HolderLink.find(process.env, process);
  // A generation without sockets only requests them; the next one reports problems of the file.
  const isAsking = link !== null && Object.keys(link.table).length === 0;
  const log = openMainLog({ level: isAsking ? 'error' : 'info' });
  const terminal = new Terminal();
  const loader = loaderOf(options);
  try {
    const plane = planeOf({ ...options, load: loader.load }, log, link);
    if (link !== null && !(await hasItsSockets(plane, link))) process.exit(EXIT.ok);
    handleSignals({ plane, log, link, terminal, nowMs: () => performance.now() });
    await plane.start();
    warnOfNode(loader.latest(), log);
    if (options.isWatching === true) watchConfig({ file: options.file, latest: loader.latest, plane, log });
    await link?.ready();
    return plane;
  } catch (error) {
    log.flushNow();
    const { exitCode, text } = explain(error, options.portOptions);
    await link?.failed(text);
    process.exitCode = exitCode;
    // The IPC channel would keep the process alive.
    if (link !== null) process.exit();
    return null;
  }
}

/** Warns of faults of this release of Node that concern the configuration. */
function warnOfNode(loaded: LoadResult, log: MainLogger): void {
  for (const text of loaded.ok ? nodeWarnings(loaded.config.settings) : [])
    log.warn({ node: process.versions.node }, text);
}

/** Loads the file and keeps the last result. */
function loaderOf({ file, environment, load: given }: RunOptions): {
  load: (parts: readonly ConfigPart[]) => LoadResult;
  latest: () => LoadResult;
} {
  const variables = { ...process.env, ...environment };
  let latest: LoadResult | null = null;
  const load = (parts: readonly ConfigPart[]): LoadResult => (latest = given?.() ?? loadConfig(file, variables, parts));
  return { load, latest: () => latest ?? load([]) };
}

/** A control plane that reports its state to systemd and its needs to the holder. */
function planeOf(
  options: Omit<RunOptions, 'load'> & { load: (parts: readonly ConfigPart[]) => LoadResult },
  log: MainLogger,
  link: HolderLink | null,
): ControlPlane {
  const environment = { ...process.env, ...options.environment };
  const service: ServiceManager = new ServiceManager({
    environment: process.env,
    timers: systemTimers,
    log,
    isAnswering: () => plane.supervisor.isAnswering(),
  });
  const plane: ControlPlane = new ControlPlane({
    load: options.load,
    environment,
    version: options.version,
    log,
    service,
    onSocketLost: () => void (link === null ? endWithoutSocket(plane, log) : renew(link)),
    ...(link === null ? {} : { holder: link }),
  });
  return plane;
}

/** Whether a generation has all the sockets that it needs; otherwise the holder is notified when this resolves. */
async function hasItsSockets(plane: ControlPlane, link: HolderLink): Promise<boolean> {
  const needs = await needsOf(plane.snapshot);
  if (isMet(needs, link.table)) return true;
  await link.need(needs);
  return false;
}

/** Until the next generation serves, connections wait in a socket that no worker accepts from. */
async function renew(link: HolderLink): Promise<void> {
  const { ok } = await link.upgrade();
  if (!ok) systemTimers.after(RENEW_AGAIN_MS, () => void renew(link));
}

/** The process that passed the socket still has it and passes it to the next process. */
async function endWithoutSocket(plane: ControlPlane, log: MainLogger): Promise<void> {
  const advice = 'ending, so that whoever passed it starts another process; with --holder that is not necessary';
  log.error({}, `a worker that died took an inherited socket with it: ${advice}`);
  await plane.drain();
  log.flushNow();
  process.exit(EXIT.failed);
}

/** Prints why nothing runs. */
function explain(error: unknown, portOptions: PortOptions | undefined): { exitCode: number; text: string } {
  if (error instanceof ConfigError) {
    printProblems(error.problems);
    return { exitCode: exitCodeOf(error), text: error.message };
  }
  const text = error instanceof Error ? `${error.message}${portAdvice(error, portOptions)}` : String(error);
  console.error(`fairlead: ${text}`);
  return { exitCode: EXIT.failed, text };
}

/** Options of a command that choose ports; a command without them reads the keys of a file. */
interface PortOptions {
  readonly listener: string;
  readonly admin: string;
}

/** Added to the message of an error; '' for one that is not about an address in use. */
function portAdvice(error: Error, options: PortOptions | undefined): string {
  const isOfListener = error instanceof BindError;
  if (!(isOfListener || error instanceof AdminBindError) || !/EADDRINUSE|already|another/.test(error.message))
    return '';
  if (options !== undefined) return `; choose another port with ${isOfListener ? options.listener : options.admin}`;
  return `; stop that process, or change ${isOfListener ? 'listeners[].bind' : 'admin.bind'}`;
}
