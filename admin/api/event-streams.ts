// Events as they happen (server-sent events, WHATWG HTML section 9.2), and the live status about once a second: made
// once, written to all who watch. Who reads too slowly misses status, and is cut off before it costs memory; it comes
// back with Last-Event-ID and has lost nothing. Thread: main.

import type { ServerResponse } from 'node:http';
import type { Timers, TimerHandle } from '../../core/timers.ts';
import { AdminError, type AdminStream, COMMON_FIELDS } from './admin-reply.ts';
import type { EventFeed } from './event-feed.ts';
import type { EventReply, LiveReply } from './reply-schemas.ts';

/** What may be watched. */
export const STREAM_KINDS = ['change', 'reload', 'status'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

/** Each holds a socket and is written to every second. */
const MAX_STREAMS = 32;
/** Unread bytes at which a stream is cut off: a few hundred events. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const TICK_MS = 1000;
/** One status for so many endpoints in each tick, so that thousands don't keep the main thread busy. */
const ENDPOINTS_PER_TICK = 500;
/** Ticks without a word after which a comment shows that the connection lives. */
const QUIET_TICKS = 10;
const RETRY_MS = 2000;

export interface StreamParts {
  readonly feed: EventFeed;
  readonly timers: Timers;
  readonly live: () => LiveReply;
  readonly endpointCount: () => number;
}

interface Watcher {
  readonly response: ServerResponse;
  readonly kinds: ReadonlySet<StreamKind>;
  quietTicks: number;
}

export class EventStreams {
  readonly #parts: StreamParts;
  readonly #watchers = new Set<Watcher>();
  readonly #unsubscribe: () => void;
  #timer: TimerHandle | null = null;
  #ticks = 0;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.feed.subscribe((event) => this.#tell(event));
  }

  get count(): number {
    return this.#watchers.size;
  }

  /**
   * A stream of these kinds. @param lastEventId what the client has seen: what came after it is told first
   * @throws AdminError 503 where there are too many
   */
  open(kinds: ReadonlySet<StreamKind>, lastEventId: string | undefined): AdminStream {
    if (this.#watchers.size >= MAX_STREAMS) {
      const fields = { 'Retry-After': '10' };
      throw new AdminError(503, 'too-many-streams', `${MAX_STREAMS} streams of events are open`, { fields });
    }
    return {
      contentType: 'text/event-stream; charset=utf-8',
      stream: (response) => this.#begin(response, kinds, lastEventId),
    };
  }

  /** Ends all streams and the clock. */
  stop(): void {
    this.#unsubscribe();
    this.#timer?.cancel();
    this.endAll();
  }

  /** Ends those that are open: their clients come back, to where they find us then. */
  endAll(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  #begin(response: ServerResponse, kinds: ReadonlySet<StreamKind>, lastEventId: string | undefined): void {
    // X-Accel-Buffering: an nginx in between must not keep events back.
    const fields = { ...COMMON_FIELDS, 'X-Accel-Buffering': 'no' };
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', ...fields });
    const watcher: Watcher = { response, kinds, quietTicks: 0 };
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
    const missed = lastEventId === undefined ? [] : this.#parts.feed.since(lastEventId);
    const texts = missed.filter(({ kind }) => kinds.has(kind)).map(textOf);
    if (kinds.has('status')) texts.push(statusText(this.#parts.live()));
    response.write(`retry: ${RETRY_MS}\n\n${texts.join('')}`);
    this.#timer ??= this.#parts.timers.after(TICK_MS, () => this.#tick());
  }

  #tell(event: EventReply): void {
    if (this.#watchers.size === 0) return;
    const text = textOf(event);
    for (const watcher of this.#watchers) if (watcher.kinds.has(event.kind)) write(watcher, text);
  }

  #tick(): void {
    this.#timer = null;
    if (this.#watchers.size === 0) return;
    this.#ticks++;
    const ticksPerStatus = Math.max(1, Math.ceil(this.#parts.endpointCount() / ENDPOINTS_PER_TICK));
    const isStatusDue = this.#ticks % ticksPerStatus === 0;
    // Who has unread bytes gets the next one: status is news only while it is new.
    const readers = [...this.#watchers].filter(
      ({ kinds, response }) => isStatusDue && kinds.has('status') && response.writableLength === 0,
    );
    const text = readers.length === 0 ? '' : statusText(this.#parts.live());
    for (const watcher of readers) write(watcher, text);
    for (const watcher of this.#watchers) {
      watcher.quietTicks++;
      if (watcher.quietTicks >= QUIET_TICKS) write(watcher, ': still here\n\n');
    }
    this.#timer = this.#parts.timers.after(TICK_MS, () => this.#tick());
  }
}

/** Slow reader: what it doesn't take would stay in our memory. */
function write(watcher: Watcher, text: string): void {
  watcher.quietTicks = 0;
  watcher.response.write(text);
  if (watcher.response.writableLength > MAX_UNREAD_BYTES) watcher.response.destroy();
}

/** JSON has no line break of its own, so one `data` line is enough. */
function textOf(event: EventReply): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Without an id: nobody needs it twice. */
function statusText(live: LiveReply): string {
  return `event: status\ndata: ${JSON.stringify(live)}\n\n`;
}
