// `fairlead completion`: prints a shell script, and answers its look-ups during completion. Thread: main.

import type { Command } from 'commander';
import type { UpstreamReply } from '../../../admin/api/reply-schemas.ts';
import { callAdmin } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { completionScript, type Lookup, type Shell } from './completion-scripts.ts';
import { completionTable } from './completion-table.ts';

/** Timeout in ms: completion is interactive. */
const PATIENCE_MS = 700;
/** Names that are safe in every shell. */
const MOST_NAMES = 1000;
const PLAIN_NAME = /^[\w.:/@[\]+=,-]+$/;

export function printCompletion(shell: Shell, program: Command): void {
  process.stdout.write(completionScript(shell, completionTable(program)));
}

/** Prints the endpoints or upstreams of the running Fairlead, one per line; nothing when it does not answer in time. */
export async function completeNames(what: Lookup, options: AdminOptions): Promise<void> {
  setTimeout(() => process.exit(), PATIENCE_MS).unref();
  try {
    const answer = await callAdmin(adminTarget(options), '/api/v1/upstreams');
    const { upstreams = [] } = answer.body as { upstreams?: readonly UpstreamReply[] };
    const names = upstreams.flatMap(({ name, endpoints }) =>
      what === 'upstreams' ? [name] : endpoints.map((endpoint) => `${name}/${endpoint.name}`),
    );
    const plain = names.filter((name) => PLAIN_NAME.test(name)).slice(0, MOST_NAMES);
    process.stdout.write(plain.map((name) => `${name}\n`).join(''));
  } catch {
    // An error message would appear inside the command line.
  }
}
