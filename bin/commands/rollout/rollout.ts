// `fairlead rollout`: replaces an endpoint and its process without a lost request, or rolls back. Thread: main.

import { plainText, whyText } from '../explain/why-text.ts';
import { EXIT } from '../exit-codes.ts';
import { callAdmin } from '../live/admin-client.ts';
import { adminTarget } from '../live/admin-target.ts';
import { attempt } from '../live/run-live-command.ts';
import { Progress } from '../progress.ts';
import type { RolloutOutcome, RolloutTools } from './rollout-parts.ts';
import { parsePlan, type RolloutOptions } from './rollout-plan.ts';
import { Rollout } from './rollout-run.ts';
import { spawn } from 'node:child_process';

/** Exit code of a rollout that was rolled back: nothing has changed. */
const ROLLED_BACK = 1;

/** Runs a rollout, prints its steps, and sets the exit code: 1 where it was rolled back, 4 where it couldn't be completed. */
export function rollout(upstream: string, options: RolloutOptions): Promise<void> {
  return attempt(async () => {
    const plan = parsePlan(upstream, options);
    const target = adminTarget(options);
    const isJson = options.json === true;
    const abort = new AbortController();
    const onSignal = (): void => abort.abort();
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, onSignal);
    const progress = new Progress();
    try {
      const print = isJson ? console.error : console.log;
      const tools: RolloutTools = {
        call: (path, change) => callAdmin(target, path, change),
        run: (command, signal) => {
          progress.end();
          return runShellCommand(command, { hasQuietStdout: isJson, signal });
        },
        nowMs: () => performance.now(),
        sleep,
        say: (line) => {
          progress.end();
          print(plainText(line));
        },
        show: (line) => progress.show(plainText(line)),
        signal: abort.signal,
      };
      const outcome = await new Rollout(plan, tools).run();
      progress.end();
      report(outcome, { isJson, facts: { upstream, old: plan.old, new: plan.new } });
    } finally {
      progress.end();
      for (const signal of signals) process.off(signal, onSignal);
    }
  });
}

/** Resolves early where the signal aborts. */
function sleep(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
    if (signal?.aborted === true) finish();
  });
}

function report(outcome: RolloutOutcome, { isJson, facts }: { isJson: boolean; facts: object }): void {
  const { result, cause, why, notes } = outcome;
  if (isJson) console.log(JSON.stringify({ ...facts, ...outcome }, null, 2));
  if (result === 'done') {
    if (cause === '') return;
    console.error(`fairlead: the new endpoint is in service and the old one is not, but ${plainText(cause)}`);
    process.exitCode = EXIT.failed;
    return;
  }
  if (why !== null && !isJson) console.error(whyText(why));
  console.error(`fairlead: rolled back: ${plainText(cause)}`);
  for (const note of notes) console.error(`  ${plainText(note)}`);
  process.exitCode = ROLLED_BACK;
}

/**
 * Runs a command with the shell and shows its output. The command has the terminal's process group, so that Ctrl-C reaches
 * it as well; a termination of this process is passed on to it.
 * @param hasQuietStdout its output goes to standard error, because standard output is for programs
 * @returns '' for success, otherwise why it failed
 */
export function runShellCommand(
  command: string,
  { hasQuietStdout, signal }: { hasQuietStdout: boolean; signal: AbortSignal | null },
): Promise<string> {
  const child = spawn(command, { shell: true, stdio: ['inherit', hasQuietStdout ? 2 : 'inherit', 'inherit'] });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return new Promise((resolve) => {
    const finish = (failure: string): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(failure);
    };
    child.on('error', (error) => finish(error.message));
    // Not `close`: a server that the command leaves in the background keeps its output open.
    child.on('exit', (code, killer) => {
      if (code === 0) finish('');
      else finish(code === null ? `killed by ${killer}` : `exit code ${code}`);
    });
  });
}
