// `fairlead healthcheck`: the exit code for a container's health check. Thread: main.

import { callAdmin, refusalWords } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { EXIT } from '../exit-codes.ts';

export interface HealthcheckOptions extends AdminOptions {
  /** Whether readiness is checked in place of liveness: a process that drains is alive, but not ready. */
  readonly ready?: boolean;
}

/** Docker reserves all exit codes but 0 and 1. */
const UNHEALTHY = 1;

/** Prints one line and sets the exit code: 0 for healthy, 1 for everything else. */
export async function healthcheck(options: HealthcheckOptions): Promise<void> {
  const path = options.ready === true ? '/readyz' : '/livez';
  try {
    const answer = await callAdmin(adminTarget(options), path);
    if (answer.status === 200) {
      console.log(options.ready === true ? 'ready' : 'alive');
      process.exitCode = EXIT.ok;
      return;
    }
    const { because } = answer.body as { because?: readonly string[] };
    console.error(`fairlead: not healthy: ${because?.join('; ') ?? refusalWords(answer)}`);
  } catch (error) {
    console.error(`fairlead: ${(error as Error).message}`);
  }
  process.exitCode = UNHEALTHY;
}
