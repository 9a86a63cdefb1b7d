// `fairlead top`: shows the complete state, or the requests in flight, every second until `q`. Thread: main.

import type { EndpointReply } from '../../../admin/api/endpoint-schemas.ts';
import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import type { RequestsReply } from '../../../admin/api/request-schemas.ts';
import { callAdmin, refusalWords, watchAdmin } from '../live/admin-client.ts';
import { type AdminOptions, type AdminTarget, adminTarget } from '../live/admin-target.ts';
import { changeText } from '../live/change-endpoint.ts';
import { endpointError, endpointPath } from '../live/endpoint-path.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import { terminal } from './status.ts';
import { keysOf } from './top-keys.ts';
import { firstView, frameOf, stepView, type TopChange, type TopView } from './top-view.ts';

export interface TopOptions extends AdminOptions {
  /** Number of frames after which it ends; without a terminal, frames follow each other. */
  readonly frames?: string;
  /** Whether it begins with the requests in flight. */
  readonly requests?: boolean;
}

/** Alternate screen without a cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Cursor to the upper left corner. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** Time for which the result of a change is shown, in ms. */
const NOTICE_MS = 8_000;

/** Shows the state until a key, a signal or the last frame ends it. Sets the exit code. */
export function top(options: TopOptions): Promise<void> {
  return attempt(async () => {
    const target = adminTarget(options);
    const most = framesOf(options.frames);
    const ending = new AbortController();
    const screen = new Screen(target, ending, options.requests === true ? 'requests' : 'endpoints');
    try {
      let count = 0;
      for await (const { event, data } of watchAdmin(target, '/api/v1/events?kind=status', { signal: ending.signal })) {
        if (event !== 'status') continue;
        await screen.show(data as LiveReply);
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
  readonly #target: AdminTarget;
  readonly #ending: AbortController;
  #view: TopView;
  #live: LiveReply | null = null;
  #requests: RequestsReply | null = null;
  #names: readonly string[] = [];
  #notice = '';
  #noticeEndMs = 0;
  /** Whether the user has ended it. */
  wasLeft = false;

  constructor(target: AdminTarget, ending: AbortController, mode: TopView['mode']) {
    this.#target = target;
    this.#ending = ending;
    this.#view = { ...firstView, mode };
    process.once('SIGINT', this.#leave).once('SIGTERM', this.#leave);
    // The reader has closed the pipe, such as head(1).
    process.stdout.on('error', this.#leave);
    if (!this.#isTerminal) return;
    process.stdout.write(ENTER);
    process.stdout.on('resize', this.#draw);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true).resume().setEncoding('utf8').on('data', this.#onKeys);
  }

  async show(live: LiveReply): Promise<void> {
    this.#live = live;
    if (performance.now() >= this.#noticeEndMs) this.#notice = '';
    if (this.#view.mode === 'requests') await this.#readRequests();
    this.#draw();
  }

  close(): void {
    process.off('SIGINT', this.#leave).off('SIGTERM', this.#leave);
    if (!this.#isTerminal) return;
    process.stdout.off('resize', this.#draw);
    process.stdout.write(LEAVE);
    if (process.stdin.isTTY) process.stdin.off('data', this.#onKeys).setRawMode(false).pause();
  }

  /** @throws UnreachableError, Error where the API refuses */
  async #readRequests(): Promise<void> {
    const answer = await callAdmin(this.#target, '/api/v1/requests');
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    this.#requests = answer.body as RequestsReply;
  }

  readonly #leave = (): void => {
    this.wasLeft = true;
    this.#ending.abort();
  };

  readonly #onKeys = (text: string): void => {
    for (const key of keysOf(text)) {
      this.#notice = '';
      const { view, act } = stepView(this.#view, key, this.#names);
      const isNewMode = view.mode !== this.#view.mode;
      this.#view = view;
      if (act === 'leave') this.#leave();
      else if (act !== null) void this.#change(act);
      if (isNewMode && view.mode === 'requests') void this.#readRequests().then(this.#draw, this.#fail);
      // The next key of a pasted series acts on what this one shows.
      this.#draw();
    }
  };

  async #change({ endpoint, admin }: TopChange): Promise<void> {
    try {
      const answer = await callAdmin(this.#target, `${endpointPath(endpoint)}/state`, { body: { admin } });
      if (answer.status !== 200) throw endpointError(endpoint, answer);
      this.#notify(changeText(endpoint, admin, answer.body as EndpointReply));
    } catch (error) {
      this.#fail(error);
    }
    this.#draw();
  }

  readonly #fail = (error: unknown): void => this.#notify((error as Error).message);

  /** Shows a notice in place of the keys, for a moment. */
  #notify(text: string): void {
    this.#notice = text;
    this.#noticeEndMs = performance.now() + NOTICE_MS;
  }

  readonly #draw = (): void => {
    if (this.#live === null || this.wasLeft) return;
    const size = { ...terminal(), height: this.#isTerminal ? process.stdout.rows : null };
    const { lines, view, names } = frameOf(this.#live, this.#requests, {
      view: this.#view,
      size,
      notice: this.#notice,
    });
    this.#view = view;
    this.#names = names;
    const text = this.#isTerminal
      ? `${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`
      : `${lines.join('\n')}\n\n`;
    process.stdout.write(text);
  };
}
