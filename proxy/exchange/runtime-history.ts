// The Runtimes of a worker: the newest, which new exchanges begin with, and those before it that some still hold. Sees to
// it that what a reload took away has an end, and that no exchange keeps a Runtime for ever. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { OpenRevision } from '../../core/messages.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { Exchange } from './exchange.ts';
import { OpenList } from './open-list.ts';
import type { Runtime } from './runtime.ts';

/** How often those before the newest are looked after, while there are any. */
const LOOK_EVERY_MS = 250;
/** More Runtimes than this are not kept for exchanges that no longer need theirs. */
const MOST_OLDER = 8;
/** Nor longer than this. */
const KEEP_MS = 60_000;

export interface RuntimeHistoryParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  /** Ends an exchange now, whatever it does. */
  readonly end: (exchange: Exchange) => void;
  /** Receives the open exchanges of each revision but the newest, oldest first, whenever they have changed. */
  readonly report: (older: readonly OpenRevision[]) => void;
}

/** Exchanges that began with the same Runtime; which of them still hold it, they know themselves. */
interface RevisionExchanges {
  readonly revision: number;
  readonly open: OpenList<Exchange>;
  /** Monotonic ms. */
  replacedMs: number;
}

export class RuntimeHistory {
  readonly #parts: RuntimeHistoryParts;
  #runtime: Runtime;
  #current: RevisionExchanges;
  /** Oldest first. */
  #older: RevisionExchanges[] = [];
  /** Endpoints that no configuration names any more and that exchanges may still use: since when, in monotonic ms. */
  readonly #gone = new Map<string, number>();
  #timer: TimerHandle | null = null;
  #reported = '[]';

  constructor(first: Runtime, parts: RuntimeHistoryParts) {
    this.#parts = parts;
    this.#runtime = first;
    this.#current = revisionOf(first);
  }

  /** The newest. */
  get runtime(): Runtime {
    return this.#runtime;
  }

  /** The exchanges that began with the newest Runtime. */
  get open(): OpenList<Exchange> {
    return this.#current.open;
  }

  /** Exchanges that begin from now on run on `next`. */
  replace(next: Runtime): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#noteGone(this.#runtime.snapshot, next.snapshot, nowMs);
    this.#current.replacedMs = nowMs;
    this.#older.push(this.#current);
    this.#runtime = next;
    this.#current = revisionOf(next);
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    this.stop();
    const nowMs = this.#parts.clock.nowMs();
    this.#endWhatIsDue(nowMs);
    this.#older = this.#older.filter(({ open }) => open.size > 0);
    for (const [at, older] of this.#older.entries()) {
      const isMany = this.#older.length - at > MOST_OLDER;
      if (isMany || nowMs - older.replacedMs > KEEP_MS) this.#moveOn(older);
    }
    this.#report();
    if (this.#older.length === 0) this.#gone.clear();
    else this.#timer = this.#parts.timers.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** The times of the newest configuration hold, also for what began before it. */
  #endWhatIsDue(nowMs: number): void {
    const { drainMs, hardStopMs } = this.#runtime.snapshot.reload;
    for (const { open, replacedMs } of this.#older) {
      const isOverdue = hardStopMs > 0 && nowMs - replacedMs >= hardStopMs;
      if (!isOverdue && this.#gone.size === 0) continue;
      for (const exchange of open.items()) {
        if (isOverdue || this.#isOnGoneSince(exchange, nowMs - drainMs)) this.#parts.end(exchange);
      }
    }
  }

  /** Whether an exchange that streams uses an endpoint that went at `sinceMs` or before. Others have timeouts. */
  #isOnGoneSince({ endpoint, state }: Exchange, sinceMs: number): boolean {
    if (endpoint === null || (state !== 'relaying' && state !== 'tunnel')) return false;
    const goneMs = this.#gone.get(identityOf(endpoint));
    return goneMs !== undefined && goneMs <= sinceMs;
  }

  #noteGone(before: Snapshot, after: Snapshot, nowMs: number): void {
    const present = new Set(endpointsOf(after).map(identityOf));
    for (const identity of endpointsOf(before).map(identityOf)) {
      if (!present.has(identity) && !this.#gone.has(identity)) this.#gone.set(identity, nowMs);
    }
    for (const identity of present) this.#gone.delete(identity);
  }

  /**
   * Gives exchanges that have their response, and whose upstream stays, the newest Runtime: all that is left to do for
   * them is to pass bytes on and to count. The others end soon, by their own timeouts or with their endpoint.
   */
  #moveOn({ open }: RevisionExchanges): void {
    const runtime = this.#runtime;
    for (const exchange of open.items()) {
      if (exchange.runtime === runtime || (exchange.state !== 'relaying' && exchange.state !== 'tunnel')) continue;
      const { snapshot } = exchange.target!;
      const target = runtime.upstreams.get(snapshot.index);
      if (target?.snapshot.name !== snapshot.name) continue;
      exchange.runtime = runtime;
      exchange.target = target;
    }
  }

  #report(): void {
    const older = this.#older.map(({ revision, open }) => ({ revision, exchanges: open.size }));
    const text = JSON.stringify(older);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#parts.report(older);
  }
}

function revisionOf({ snapshot }: Runtime): RevisionExchanges {
  return { revision: snapshot.revision, open: new OpenList(), replacedMs: 0 };
}

function endpointsOf({ upstreams }: Snapshot): EndpointSnapshot[] {
  return upstreams.flatMap(({ endpoints }) => [...endpoints]);
}

function identityOf({ slot, generation }: EndpointSnapshot): string {
  return `${slot}/${generation}`;
}
