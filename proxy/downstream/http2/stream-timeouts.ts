// Idle timeouts of the streams of one connection, compared by its sweep: a stream costs nothing between two sweeps.
// Thread: worker.

import type { ClientTimeouts } from '../../../core/snapshot/listener.ts';
import type { Http2Stream } from './http2-stream.ts';

/** Minimum rate at which a stalled client must take its response, averaged over one send timeout; see send-rate.ts. */
const MIN_SEND_BYTES_PER_S = 240;

/** A stream's progress at an earlier sweep. */
interface Watch {
  bytes: number;
  sinceMs: number;
}

export class StreamTimeouts {
  readonly #timeouts: ClientTimeouts;
  /** Streams whose body was due, and those that were stalled. */
  readonly #bodies = new Map<number, Watch>();
  readonly #stalls = new Map<number, Watch>();

  constructor(timeouts: ClientTimeouts) {
    this.#timeouts = timeouts;
  }

  sweep(open: ReadonlyMap<number, Http2Stream>, nowMs: number): void {
    const { bodyIdleMs, sendIdleMs } = this.#timeouts;
    forgetClosed(this.#bodies, open);
    forgetClosed(this.#stalls, open);
    for (const stream of open.values()) {
      if (!stream.isAwaitingBody) this.#bodies.delete(stream.id);
      else if (this.#isBodyIdle(stream, nowMs, bodyIdleMs)) stream.bodyTimedOut();
      if (!stream.response.isStalled) this.#stalls.delete(stream.id);
      else if (this.#isStalledFor(stream, nowMs, sendIdleMs)) stream.sendTimedOut();
    }
  }

  #isBodyIdle(stream: Http2Stream, nowMs: number, limitMs: number): boolean {
    const watch = watchOf(this.#bodies, stream, stream.body.receivedBytes, nowMs);
    const hasProgress = watch.bytes !== stream.body.receivedBytes;
    if (hasProgress) restart(watch, stream.body.receivedBytes, nowMs);
    return limitMs > 0 && nowMs - watch.sinceMs > limitMs;
  }

  /** By a rate: a client that opens its window by a byte now and then would hold a response for hours. */
  #isStalledFor(stream: Http2Stream, nowMs: number, limitMs: number): boolean {
    const watch = watchOf(this.#stalls, stream, stream.response.sentBytes, nowMs);
    const passedMs = nowMs - watch.sinceMs;
    if (limitMs === 0 || passedMs <= limitMs) return false;
    const takenBytes = stream.response.sentBytes - watch.bytes;
    restart(watch, stream.response.sentBytes, nowMs);
    return takenBytes < (MIN_SEND_BYTES_PER_S * passedMs) / 1000;
  }
}

function watchOf(watches: Map<number, Watch>, stream: Http2Stream, bytes: number, nowMs: number): Watch {
  const known = watches.get(stream.id);
  if (known !== undefined) return known;
  const watch = { bytes, sinceMs: nowMs };
  watches.set(stream.id, watch);
  return watch;
}

function restart(watch: Watch, bytes: number, nowMs: number): void {
  watch.bytes = bytes;
  watch.sinceMs = nowMs;
}

function forgetClosed(watches: Map<number, Watch>, open: ReadonlyMap<number, Http2Stream>): void {
  for (const id of watches.keys()) if (!open.has(id)) watches.delete(id);
}
