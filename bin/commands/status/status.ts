// `fairlead status`: prints the complete state once. Thread: main.

import { styleText } from 'node:util';
import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { callAdmin, refusalWords, watchAdmin } from '../live/admin-client.ts';
import { type AdminOptions, type AdminTarget, adminTarget } from '../live/admin-target.ts';
import { attempt } from '../live/run-live-command.ts';
import { statusLines } from './status-text.ts';

export interface StatusOptions extends AdminOptions {
  readonly json?: boolean;
  readonly trouble?: boolean;
  /** Whether every column is printed, however narrow the terminal. */
  readonly wide?: boolean;
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
    const { width, hasColor } = terminal();
    const shown = { width: options.wide === true ? Number.MAX_SAFE_INTEGER : width, hasColor, isTroubleOnly };
    const { head, body } = statusLines(live, shown);
    for (const line of [...head, ...body.map(({ text, paint }) => paint(text))]) console.log(line);
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
  throw new Error(`the admin API at ${target.name} sends no status`);
}

/**
 * Width and colours of the terminal. A pager has the width of the terminal that standard error still is; output that no
 * terminal is behind has no limit. Colours as of styleText: NO_COLOR, FORCE_COLOR, TERM and the kind of stream.
 */
export function terminal(): { readonly width: number; readonly hasColor: boolean } {
  const { stdout, stderr, env } = process;
  const isPaged = !stdout.isTTY && stderr.isTTY;
  const columns = stdout.isTTY ? stdout.columns : isPaged ? stderr.columns : Number(env['COLUMNS']);
  const hasColor = styleText('bold', 'x', { stream: stdout }) !== 'x';
  return { width: Number.isInteger(columns) && columns > 0 ? columns : Number.MAX_SAFE_INTEGER, hasColor };
}
