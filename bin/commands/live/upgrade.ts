// `fairlead upgrade`: replaces the running process without losing a connection (docs/design.md 1.8). Thread: main.

import { callAdmin, refusalWords } from './admin-client.ts';
import { adminTarget, type AdminOptions } from './admin-target.ts';
import { attempt } from './run-live-command.ts';

/** Timeout in ms: the next process may be started twice and loads its configuration each time. */
const TIMEOUT_MS = 60_000;

/** Requests an upgrade, waits until the next process serves and sets the exit code. */
export function upgrade(options: AdminOptions): Promise<void> {
  return attempt(async () => {
    const change = { body: {}, timeoutMs: TIMEOUT_MS };
    const answer = await callAdmin(adminTarget(options), '/api/v1/upgrade', change);
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    const { pid } = answer.body as { pid: number };
    console.log(`process ${pid} has taken over; the one before it ends when its last connection has`);
  });
}
