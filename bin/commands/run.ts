// `fairlead run`: the balancer in the foreground, until a signal ends it. Thread: main.

import { openMainLog } from '../../proxy/account/process-log.ts';
import { ConfigError, ControlPlane } from '../../proxy/main.ts';
import { EXIT } from './exit-codes.ts';
import { printProblems } from './problems.ts';

export interface RunOptions {
  readonly file: string;
  readonly version: string;
  /** More variables for `${NAME}` in the file. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts and returns the control plane, or null with the exit code set and the reason told. */
export async function run(options: RunOptions): Promise<ControlPlane | null> {
  const log = openMainLog({ level: 'info' });
  try {
    const environment = { ...process.env, ...options.environment };
    const plane = new ControlPlane({ file: options.file, environment, version: options.version, log });
    handleSignals(plane, () => log.flushNow());
    await plane.start();
    return plane;
  } catch (error) {
    log.flushNow();
    process.exitCode = explain(error);
    return null;
  }
}

/** Tells why nothing runs. Returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof ConfigError) {
    printProblems(error.problems);
    return error.isReadable ? EXIT.invalid : EXIT.usage;
  }
  console.error(`fairlead: ${error instanceof Error ? error.message : String(error)}`);
  return EXIT.failed;
}

/** HUP reloads, USR1 reopens logs, TERM, INT and QUIT drain; a second one ends at once (DESIGN section 7). */
function handleSignals(plane: ControlPlane, flush: () => void): void {
  let signals = 0;
  const end = (): void => {
    signals++;
    // The second one cuts what is in flight: the drain that the first began is over at once then.
    if (signals > 1) {
      void plane.close();
      return;
    }
    void plane.drain().then(() => {
      flush();
      process.exit(signals > 1 ? EXIT.failed : EXIT.ok);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGQUIT', end);
  process.on('SIGHUP', () => void plane.reload());
  process.on('SIGUSR1', () => plane.reopenLogs());
}
