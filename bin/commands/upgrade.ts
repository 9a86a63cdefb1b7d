// `fairlead upgrade`: has the next process take over from the one that runs (DESIGN section 1.8). Thread: main.

import { AddressError, askAdmin } from './admin-client.ts';
import { EXIT } from './exit-codes.ts';

/** The next process may have to be started twice, and loads its configuration each time. */
const TIMEOUT_MS = 60_000;

/** Asks over the admin API, and waits until the next process serves. Sets the exit code. */
export async function upgrade(admin: string): Promise<void> {
  try {
    const { status, body } = await askAdmin(admin, '/api/v1/upgrade', { body: {}, timeoutMs: TIMEOUT_MS });
    const { pid, message, detail } = body as { pid?: number; message?: string; detail?: string };
    if (status === 200) {
      console.log(`process ${pid} has taken over; the one before it ends when its last connection has`);
      return;
    }
    console.error(`fairlead: ${detail ?? message ?? `the admin API answers ${status}`}`);
    process.exitCode = EXIT.failed;
  } catch (error) {
    console.error(`fairlead: ${(error as Error).message}`);
    process.exitCode = error instanceof AddressError ? EXIT.usage : EXIT.failed;
  }
}
