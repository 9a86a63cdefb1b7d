// A Fairlead that the tests of a process share: a later test reloads it with its own configuration, which costs a tenth of a
// start. For tests that neither end it nor count over its whole life. Thread: main.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { launchFairlead, type LaunchedFairlead, type RunningFairlead } from './fairlead.ts';
import type { LogLine } from './loggers.ts';

const running = new Map<string, LaunchedFairlead & { readonly log: LogLine[] }>();

after(async () => {
  for (const { stop } of running.values()) await stop();
});

/**
 * Runs a configuration on the Fairlead of this key, and starts it if this is the first. Its log is then empty.
 * @param key names what a reload can't change or a test must not inherit, such as the path or the number of workers
 */
export async function shareFairlead(key: string, yaml: string): Promise<RunningFairlead> {
  const shared = running.get(key);
  if (shared === undefined) {
    const launched = await launchFairlead(yaml);
    running.set(key, launched);
    return launched.fairlead;
  }
  const { fairlead } = shared;
  fairlead.rewrite(yaml);
  const outcome = await fairlead.plane.reload();
  assert.ok(outcome.ok, JSON.stringify(outcome));
  shared.log.length = 0;
  const { plane } = fairlead;
  const port = plane.bound[0]?.port ?? 0;
  const adminUrl = `http://${plane.adminAddress ?? '127.0.0.1:0'}`;
  return { ...fairlead, port, url: `http://127.0.0.1:${port}`, adminUrl };
}
