// `fairlead upgrade`: has the next process take over from the one that runs (DESIGN section 1.8). Thread: main.

import { askAdmin, refusalWords } from './admin-client.ts';
import { AddressError, adminTarget, type AdminOptions } from './admin-target.ts';
import { EXIT } from './exit-codes.ts';

/** The next process may have to be started twice, and loads its configuration each time. */
const TIMEOUT_MS = 60_000;

/** Asks over the admin API, and waits until the next process serves. Sets the exit code. */
export async function upgrade(options: AdminOptions): Promise<void> {
  try {
    const change = { body: {}, timeoutMs: TIMEOUT_MS };
    const answer = await askAdmin(adminTarget(options), '/api/v1/upgrade', change);
    if (answer.status === 200) {
      console.log(
        `process ${(answer.body as { pid: number }).pid} has taken over; the one before it ends when its last connection has`,
      );
      return;
    }
    console.error(`fairlead: ${refusalWords(answer)}`);
    process.exitCode = EXIT.failed;
  } catch (error) {
    console.error(`fairlead: ${(error as Error).message}`);
    process.exitCode = error instanceof AddressError ? EXIT.usage : EXIT.failed;
  }
}
