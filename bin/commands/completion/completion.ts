// `fairlead completion`: a script for a shell; and what the script asks while somebody types. Thread: main.

import type { Command } from 'commander';
import type { UpstreamReply } from '../../../admin/api/reply-schemas.ts';
import { callAdmin } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { completionScript, type Shell } from './completion-scripts.ts';
import { completionTable } from './completion-table.ts';

/** Somebody waits with a finger on the key. */
const PATIENCE_MS = 700;
/** More than a screen shows, and no character with a meaning of its own in any shell. */
const MOST_NAMES = 1000;
const PLAIN_NAME = /^[\w.:/@[\]+=,-]+$/;

export function printCompletion(shell: Shell, program: Command): void {
  process.stdout.write(completionScript(shell, completionTable(program)));
}

/** Prints the endpoints of the Fairlead that runs, one in a line; nothing where nobody answers in time. */
export async function completeEndpoints(options: AdminOptions): Promise<void> {
  setTimeout(() => process.exit(), PATIENCE_MS).unref();
  try {
    const answer = await callAdmin(adminTarget(options), '/api/v1/upstreams');
    const { upstreams = [] } = answer.body as { upstreams?: readonly UpstreamReply[] };
    const names = upstreams.flatMap((upstream) =>
      upstream.endpoints.map((endpoint) => `${upstream.name}/${endpoint.name}`),
    );
    const plain = names.filter((name) => PLAIN_NAME.test(name)).slice(0, MOST_NAMES);
    process.stdout.write(plain.map((name) => `${name}\n`).join(''));
  } catch {
    // A message would stand in the middle of what is being typed.
  }
}
