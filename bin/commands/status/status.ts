// `fairlead status`: prints the complete state once. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { callAdmin, refusalWords, watchAdmin } from '../live/admin-client.ts';
import { type AdminOptions, type AdminTarget, adminTarget } from '../live/admin-target.ts';
import { attempt } from '../live/run-live-command.ts';
import { statusLines } from './status-text.ts';

export interface StatusOptions extends AdminOptions {
  readonly json?: boolean;
  readonly trouble?: boolean;
}

/** Prints the state and sets the exit code: 0 even if something is down. */
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

/** First status event of the stream. @throws UnreachableError, RefusedError */
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

/** Width and colours of the terminal; a pipe has no limit and no colours. */
export function terminal(): { readonly width: number; readonly hasColor: boolean } {
  const { stdout, env } = process;
  const hasColor = stdout.isTTY && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb';
  return { width: stdout.isTTY ? stdout.columns : Number.MAX_SAFE_INTEGER, hasColor };
}
