// Loading the configuration, at the start and for reloads. A configuration that is refused changes nothing. Thread: main.

import type { ReloadOutcome } from '../admin/admin-context.ts';
import { type CompileTables, compile, renumber, workersOf } from '../config/compile/compile.ts';
import { describeChanges } from '../config/compile/diff.ts';
import type { LoadedConfig, LoadResult } from '../config/load.ts';
import { problemJson } from '../config/problems/problem-report.ts';
import { formatProblem, type Problem } from '../config/problems/problem.ts';
import type { Logger } from '../core/log.ts';
import { pluginsOnDisk, refreshPlugins } from '../plugins/plugin-library.ts';
import type { SnapshotOwner } from './snapshot-owner.ts';

/** Problems that one log line names; `fairlead check` prints all. */
const MOST_LOGGED = 20;

/** The configuration is invalid. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  readonly isReadable: boolean;

  constructor(problems: readonly Problem[], isReadable: boolean) {
    const errors = problems.filter(({ severity }) => severity === 'error');
    super(`the configuration is refused: ${errors.length} error(s), the first is ${formatProblem(errors[0]!)}`);
    this.name = 'ConfigError';
    this.problems = problems;
    this.isReadable = isReadable;
  }
}

export type ReloadResult =
  | { readonly ok: true; readonly revision: number; readonly changes: readonly string[] }
  /** `problems` are empty where the configuration is valid and can't be applied. */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly message: string };

/** @throws ConfigError */
export function loadOrThrow(load: () => LoadResult, log: Logger): LoadedConfig {
  const loaded = load();
  if (!loaded.ok) throw new ConfigError(loaded.problems, loaded.isReadable);
  logWarnings(loaded.warnings, log);
  return loaded.config;
}

function logWarnings(warnings: readonly Problem[], log: Logger): void {
  for (const problem of warnings.map(formatProblem)) log.warn({ problem }, problem);
}

export interface ReloaderParts {
  readonly load: () => LoadResult;
  readonly tables: CompileTables;
  /** Workers that the shared region has room for. */
  readonly mostWorkers: number;
  readonly owner: SnapshotOwner;
  readonly log: Logger;
  /** A reload begins. */
  readonly onBegin: () => void;
  /** It has ended; `config` is the configuration that runs now, null where it was refused. */
  readonly onEnd: (result: ReloadResult, config: LoadedConfig | null) => void;
}

export class Reloader {
  readonly #parts: ReloaderParts;
  #running: Promise<ReloadResult> | null = null;
  /** The reload that follows the running one, shared by all callers: what the running one loaded may be older than theirs. */
  #next: Promise<ReloadResult> | null = null;
  /** Warnings of the latest configuration. */
  #warned: ReadonlySet<string> = new Set();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Loads the configuration again. One reload runs at a time, and at most one waits. */
  reload(): Promise<ReloadResult> {
    if (this.#running !== null) {
      this.#next ??= this.#running.then(() => {
        this.#next = null;
        return this.reload();
      });
      return this.#next;
    }
    this.#running = this.#reload().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Publishes the configuration that runs again, because a gate adds other things to it now. @throws why it can't be */
  async republish(): Promise<void> {
    while (this.#running !== null) await this.#running;
    const { owner, tables } = this.#parts;
    const next = renumber(owner.received, tables, owner.current.revision + 1);
    const installed = owner.install(next);
    const done = installed.then(
      (): ReloadResult => ({ ok: true, revision: next.revision, changes: [] }),
      (error: unknown): ReloadResult => ({ ok: false, problems: [], message: (error as Error).message }),
    );
    this.#running = done.finally(() => {
      this.#running = null;
    });
    await installed;
  }

  async #reload(): Promise<ReloadResult> {
    const { load, onBegin, onEnd } = this.#parts;
    onBegin();
    let config: LoadedConfig | null = null;
    let result: ReloadResult;
    try {
      await refreshPlugins(pluginsOnDisk());
      const loaded = load();
      if (loaded.ok) this.#warn(loaded.warnings);
      result = loaded.ok ? await this.#install(loaded.config) : this.#refuse(loaded.problems);
      if (loaded.ok && result.ok) config = loaded.config;
    } catch (error) {
      // A fault of Fairlead itself must not end the process, whose configuration serves.
      result = this.#fail(error);
    }
    onEnd(result, config);
    return result;
  }

  async #install(config: LoadedConfig): Promise<ReloadResult> {
    const { owner, tables, mostWorkers, log } = this.#parts;
    const before = owner.current;
    try {
      if (workersOf(config.settings) > mostWorkers) throw new Error(`more than ${mostWorkers} workers need a restart`);
      await owner.install(compile(config, tables, before.revision + 1));
      const { revision } = owner.current;
      const changes = describeChanges(before, owner.current);
      const shown = changes.slice(0, MOST_LOGGED);
      log.info(
        { revision, changes: shown, changeCount: changes.length },
        `revision ${revision} runs: ${changes.length} change(s)`,
      );
      return { ok: true, revision, changes };
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): ReloadResult {
    const { owner, log } = this.#parts;
    const { message } = error as Error;
    log.error(
      { err: error },
      `the configuration can't be applied: ${message}; revision ${owner.current.revision} runs on`,
    );
    return { ok: false, problems: [], message };
  }

  /** Logs warnings that the reload before this one didn't have. */
  #warn(warnings: readonly Problem[]): void {
    const keys = new Set(warnings.map(keyOf));
    logWarnings(
      warnings.filter((one) => !this.#warned.has(keyOf(one))),
      this.#parts.log,
    );
    this.#warned = keys;
  }

  #refuse(problems: readonly Problem[]): ReloadResult {
    const { owner, log } = this.#parts;
    const kept = `revision ${owner.current.revision} runs on`;
    log.error(refusedFields(problems), `the configuration is refused: ${firstOf(problems)}; ${kept}`);
    return { ok: false, problems, message: `the configuration is refused; ${kept}` };
  }
}

/** The first error, and the number of the others. */
function firstOf(problems: readonly Problem[]): string {
  const [first, ...others] = problems.filter(({ severity }) => severity === 'error');
  if (first === undefined) return 'no cause is known';
  return `${formatProblem(first)}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
}

/** The same warning in another place of the file is not a new one. */
function keyOf({ code, path, message }: Problem): string {
  return `${code} ${path} ${message}`;
}

/** Fields of the log line about a configuration that is refused. */
export function refusedFields(problems: readonly Problem[]): { problems: string[]; problemCount: number } {
  return { problems: problems.slice(0, MOST_LOGGED).map(formatProblem), problemCount: problems.length };
}

/** The result for the admin API. */
export function outcomeOf(result: ReloadResult): ReloadOutcome {
  if (result.ok) return result;
  const { message, problems } = result;
  return { ok: false, problems: [message, ...problems.map(formatProblem)], findings: problems.map(problemJson) };
}
