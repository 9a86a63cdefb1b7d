// `fairlead top`: shows the complete state every second until `q`. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { watchAdmin } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import { terminal } from './status.ts';
import { firstView, frameOf, keyOf, stepView, type TopView } from './top-view.ts';

export interface TopOptions extends AdminOptions {
  /** Number of frames after which it ends; without a terminal, frames follow each other. */
  readonly frames?: string;
}

/** Alternate screen without a cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Cursor to the upper left corner. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Shows the state until a key, a signal or the last frame ends it. Sets the exit code. */
export function top(options: TopOptions): Promise<void> {
  return attempt(async () => {
    const target = adminTarget(options);
    const most = framesOf(options.frames);
    const ending = new AbortController();
    const screen = new Screen(ending);
    try {
      let count = 0;
      for await (const { event, data } of watchAdmin(target, '/api/v1/events?kind=status', { signal: ending.signal })) {
        if (event !== 'status') continue;
        screen.show(data as LiveReply);
        count += 1;
        if (count === most) break;
      }
    } finally {
      screen.close();
      ending.abort();
    }
    if (screen.wasLeft || most !== Number.POSITIVE_INFINITY) return;
    throw new Error(`the admin API at ${target.name} has ended the stream`);
  });
}

function framesOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--frames takes a whole number from 1, not "${text}"`);
}

/** The terminal, or a pipe that gets frame after frame. */
class Screen {
  readonly #isTerminal = process.stdout.isTTY;
  readonly #ending: AbortController;
  #view: TopView = firstView;
  #live: LiveReply | null = null;
  /** Whether the user has ended it. */
  wasLeft = false;

  constructor(ending: AbortController) {
    this.#ending = ending;
    process.once('SIGINT', this.#leave).once('SIGTERM', this.#leave);
    // The reader has closed the pipe, such as head(1).
    process.stdout.on('error', this.#leave);
    if (!this.#isTerminal) return;
    process.stdout.write(ENTER);
    process.stdout.on('resize', this.#draw);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).resume().setEncoding('utf8').on('data', this.#onKeys);
  }

  show(live: LiveReply): void {
    this.#live = live;
    this.#draw();
  }

  close(): void {
    process.off('SIGINT', this.#leave).off('SIGTERM', this.#leave);
    if (!this.#isTerminal) return;
    process.stdout.off('resize', this.#draw);
    process.stdout.write(LEAVE);
    if (process.stdin.isTTY) process.stdin.off('data', this.#onKeys).setRawMode(false).pause();
  }

  readonly #leave = (): void => {
    this.wasLeft = true;
    this.#ending.abort();
  };

  readonly #onKeys = (text: string): void => {
    for (const key of keyOf(text)) {
      if (key === 'leave') this.#leave();
      else this.#view = stepView(this.#view, key);
    }
    this.#draw();
  };

  readonly #draw = (): void => {
    if (this.#live === null) return;
    const size = { ...terminal(), height: this.#isTerminal ? process.stdout.rows : Number.MAX_SAFE_INTEGER };
    const frame = frameOf(this.#live, this.#view, size);
    this.#view = frame.view;
    const text = this.#isTerminal
      ? `${HOME}${frame.lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`
      : `${frame.lines.join('\n')}\n\n`;
    process.stdout.write(text);
  };
}
