// `fairlead status`: the state of everything, once. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { callAdmin, refusalWords, watchAdmin } from '../live/admin-client.ts';
import { type AdminOptions, type AdminTarget, adminTarget } from '../live/admin-target.ts';
import { attempt } from '../live/run-live-command.ts';
import { statusLines } from './status-text.ts';

export interface StatusOptions extends AdminOptions {
  readonly json?: boolean;
  readonly trouble?: boolean;
}

/** Prints it and sets the exit code: 0 also where something is down, for that is what was asked. */
export function status(options: StatusOptions): Promise<void> {
  return attempt(async () => {
    const target = adminTarget(options);
    if (options.json === true) {
      const answer = await callAdmin(target, '/api/v1/status');
      if (answer.status !== 200) throw new Error(refusalWords(answer));
      console.log(JSON.stringify(answer.body, null, 2));
      return;
    }
    const live = await liveOnce(target);
    const isTroubleOnly = options.trouble === true;
    for (const line of statusLines(live, { ...terminal(), isTroubleOnly })) console.log(line);
  });
}

/** What the stream of events says first. @throws UnreachableError, RefusedError */
async function liveOnce(target: AdminTarget): Promise<LiveReply> {
  const ending = new AbortController();
  const giveUp = AbortSignal.timeout(5_000);
  const signal = AbortSignal.any([ending.signal, giveUp]);
  try {
    for await (const { event, data } of watchAdmin(target, '/api/v1/events?kind=status', { signal })) {
      if (event === 'status') return data as LiveReply;
    }
  } finally {
    ending.abort();
  }
  throw new Error(`the admin API at ${target.name} tells no status`);
}

/** How wide the terminal is, and whether it shows colours; a pipe takes everything, without colours. */
export function terminal(): { readonly width: number; readonly hasColor: boolean } {
  const { stdout, env } = process;
  const hasColor = stdout.isTTY && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb';
  return { width: stdout.isTTY ? stdout.columns : Number.MAX_SAFE_INTEGER, hasColor };
}
