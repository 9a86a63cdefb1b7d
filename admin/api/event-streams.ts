// Streams of server-sent events (WHATWG HTML section 9.2): events as they happen, and the live status about once a
// second, rendered once for all clients. A slow reader misses status events and is disconnected before it costs memory;
// with Last-Event-ID it then resumes without loss. Thread: main.

import type { ServerResponse } from 'node:http';
import type { Timers, TimerHandle } from '../../core/timers.ts';
import { AdminError, type AdminStream, COMMON_FIELDS } from './admin-reply.ts';
import type { EventFeed } from './event-feed.ts';
import type { EventReply, LiveReply } from './reply-schemas.ts';

/** Kinds of event. */
export const STREAM_KINDS = [
  'change',
  'reload',
  'maintenance',
  'split',
  'source',
  'provider',
  'membership',
  'status',
] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

/** Limit of open streams: each holds a socket and is written to every second. */
const MAX_STREAMS = 32;
/** Unread bytes at which a stream is closed: a few hundred events. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const TICK_MS = 1000;
/**
 * Endpoints per tick and status event: a status of a thousand endpoints takes about 20 ms of the main thread, and a larger one
 * is sent less often, so that this stays at 2 % of a core.
 */
const ENDPOINTS_PER_TICK = 1_000;
/** Ticks without data after which a comment keeps the connection alive. */
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
   * A stream of these kinds. @param lastEventId last event that the client received; later ones are sent first
   * @throws AdminError 503 when too many streams are open
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

  /** Closes all open streams: their clients reconnect to the current address. */
  endAll(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  #begin(response: ServerResponse, kinds: ReadonlySet<StreamKind>, lastEventId: string | undefined): void {
    // X-Accel-Buffering: an nginx in between must not buffer events.
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
    // A client with unread bytes skips this one: only the newest status is useful.
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

/** A slow reader is disconnected: its unread bytes would stay in memory. */
function write(watcher: Watcher, text: string): void {
  watcher.quietTicks = 0;
  watcher.response.write(text);
  if (watcher.response.writableLength > MAX_UNREAD_BYTES) watcher.response.destroy();
}

/** JSON contains no line breaks, so one `data` line suffices. */
function textOf(event: EventReply): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Without an id: status events are not replayed. */
function statusText(live: LiveReply): string {
  return `event: status\ndata: ${JSON.stringify(live)}\n\n`;
}
