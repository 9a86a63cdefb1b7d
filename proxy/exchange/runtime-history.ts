// The Runtimes of a worker: the newest, with which new exchanges begin, and earlier ones that some exchanges still hold.
// Ends exchanges whose endpoint a reload removed, and lets no exchange hold a Runtime for ever. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import { type AmendedUpstream, changedIn, identityOf, type SlotOwner, withDelta } from '../../core/endpoint-delta.ts';
import type { MembershipDelta, OpenRevision } from '../../core/messages.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { RuntimePolicies } from '../policies/runtime-policies.ts';
import type { Exchange } from './exchange.ts';
import { OpenList } from './open-list.ts';
import { type Runtime, withOverrides } from './runtime.ts';

/** Earlier Runtimes are checked this often, while there are any. */
const CHECK_EVERY_MS = 250;
/** At most this many earlier Runtimes are kept for exchanges that no longer need theirs. */
const MAX_OLDER = 8;
/** And for this long at most. */
const KEEP_MS = 60_000;

export interface RuntimeHistoryParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  /** Ends an exchange at once, in any state. */
  readonly end: (exchange: Exchange) => void;
  /** Receives the open exchanges of each earlier revision, oldest first, whenever they have changed. */
  readonly report: (older: readonly OpenRevision[]) => void;
}

/** Exchanges that began with the same Runtime. Some of them may have moved on to a newer one. */
interface RevisionExchanges {
  readonly revision: number;
  readonly open: OpenList<Exchange>;
  /** In use as long as an exchange is open, also where that has moved on. */
  readonly policies: RuntimePolicies;
  /** Null once its exchanges have moved on: nothing is placed with it any more. */
  runtime: Runtime | null;
  /** Monotonic ms. */
  replacedMs: number;
}

export class RuntimeHistory {
  readonly #parts: RuntimeHistoryParts;
  #runtime: Runtime;
  #current: RevisionExchanges;
  /** Oldest first. */
  #older: RevisionExchanges[] = [];
  /** When a reload removed each endpoint that exchanges may still use, in monotonic ms. */
  readonly #removedMs = new Map<string, number>();
  /** Whether some of them were removed without a reload. */
  #hasAmended = false;
  #timer: TimerHandle | null = null;
  #reported = '[]';

  constructor(first: Runtime, parts: RuntimeHistoryParts) {
    this.#parts = parts;
    this.#runtime = first;
    this.#current = revisionOf(first);
  }

  /** The newest Runtime. */
  get runtime(): Runtime {
    return this.#runtime;
  }

  /** The exchanges that began with the newest Runtime. */
  get open(): OpenList<Exchange> {
    return this.#current.open;
  }

  /** All open exchanges, of every Runtime. */
  openExchanges(): Exchange[] {
    return [this.#current, ...this.#older].flatMap(({ open }) => open.items());
  }

  /** Installs a Runtime for exchanges that begin from now on. */
  replace(next: Runtime): void {
    const nowMs = this.#parts.clock.nowMs();
    const [before, after] = [endpointsOf(this.#runtime.snapshot.upstreams), endpointsOf(next.snapshot.upstreams)];
    this.#recordRemoved(before, after, nowMs);
    this.#current.replacedMs = nowMs;
    this.#older.push(this.#current);
    this.#runtime = next;
    this.#current = revisionOf(next);
    this.#check();
  }

  /**
   * Changes endpoints in place, also for exchanges that began earlier: those that wait are placed among the endpoints
   * that exist now. Returns what has changed.
   */
  amend({ membership, upstreams }: MembershipDelta): readonly AmendedUpstream[] {
    const { upstreams: known } = this.#runtime;
    const lists = upstreams.map((delta) => {
      const { index } = delta;
      return { index, endpoints: withDelta(known.get(index)!.snapshot.endpoints, delta) };
    });
    for (const { runtime } of this.#older) runtime?.amend({ membership, upstreams: lists });
    this.#runtime.amend({ membership, upstreams: lists });
    const amended = upstreams.map((delta) => {
      return { upstream: known.get(delta.index)!.snapshot, changed: changedIn(delta), removed: delta.removed };
    });
    const nowMs = this.#parts.clock.nowMs();
    for (const { removed, changed } of amended) this.#recordRemoved(removed, changed, nowMs);
    this.#hasAmended ||= this.#removedMs.size > 0;
    if (this.#hasAmended) this.#timer ??= this.#parts.timers.after(CHECK_EVERY_MS, () => this.#check());
    return amended;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #check(): void {
    this.stop();
    const nowMs = this.#parts.clock.nowMs();
    this.#endExpired(nowMs);
    for (const { open, policies } of this.#older) if (open.size === 0) policies.dispose();
    this.#older = this.#older.filter(({ open }) => open.size > 0);
    for (const [at, older] of this.#older.entries()) {
      const isMany = this.#older.length - at > MAX_OLDER;
      if (isMany || nowMs - older.replacedMs > KEEP_MS) this.#moveOn(older);
    }
    this.#report();
    // Exchanges that began after a reload don't use what it removed; they may use what was removed without one.
    if (this.#older.length === 0 && !this.#hasAmended) this.#removedMs.clear();
    this.#hasAmended &&= this.#removedMs.size > 0;
    if (this.#older.length > 0 || this.#hasAmended) {
      this.#timer = this.#parts.timers.after(CHECK_EVERY_MS, () => this.#check());
    }
  }

  /** Applies the times of the newest configuration, also to exchanges that began before it. */
  #endExpired(nowMs: number): void {
    const { drainMs, hardStopMs } = this.#runtime.snapshot.reload;
    for (const older of [...this.#older, this.#current]) {
      const { open, replacedMs } = older;
      const isOverdue = older !== this.#current && hardStopMs > 0 && nowMs - replacedMs >= hardStopMs;
      if (!isOverdue && this.#removedMs.size === 0) continue;
      for (const exchange of open.items()) {
        if (isOverdue || this.#usesRemovedSince(exchange, nowMs - drainMs)) this.#parts.end(exchange);
      }
    }
    for (const [identity, removedMs] of this.#removedMs) {
      if (removedMs <= nowMs - drainMs - KEEP_MS) this.#removedMs.delete(identity);
    }
  }

  /** Whether a streaming exchange uses an endpoint removed at `sinceMs` or before. Others end by their timeouts. */
  #usesRemovedSince({ endpoint, isStreaming }: Exchange, sinceMs: number): boolean {
    if (endpoint === null || !isStreaming) return false;
    const removedMs = this.#removedMs.get(identityOf(endpoint));
    return removedMs !== undefined && removedMs <= sinceMs;
  }

  /** @param present those of `before` that are still there, among others */
  #recordRemoved(before: readonly SlotOwner[], present: readonly SlotOwner[], nowMs: number): void {
    const identities = new Set(present.map(identityOf));
    for (const identity of before.map(identityOf)) {
      if (!identities.has(identity) && !this.#removedMs.has(identity)) this.#removedMs.set(identity, nowMs);
    }
    for (const identity of identities) this.#removedMs.delete(identity);
  }

  /**
   * Gives streaming exchanges of a file, or whose upstream still exists, the newest Runtime: nothing is left to do for them but to pass
   * bytes on and to count. The others end soon, by their own timeouts or with their endpoint.
   */
  #moveOn(older: RevisionExchanges): void {
    const { open, policies } = older;
    const runtime = this.#runtime;
    policies.close();
    older.runtime = null;
    for (const exchange of open.items()) {
      if (exchange.runtime === runtime || !exchange.isStreaming) continue;
      if (exchange.target === null) {
        exchange.moveTo(runtime, null);
        continue;
      }
      const { snapshot } = exchange.target;
      const target = runtime.upstreams.get(snapshot.index);
      if (target?.snapshot.name !== snapshot.name) continue;
      exchange.moveTo(runtime, withOverrides(target, exchange.route!));
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

function revisionOf(runtime: Runtime): RevisionExchanges {
  const { snapshot, policies } = runtime;
  return { revision: snapshot.revision, open: new OpenList(), policies, runtime, replacedMs: 0 };
}

function endpointsOf(upstreams: readonly UpstreamSnapshot[]): readonly SlotOwner[] {
  return upstreams.flatMap(({ endpoints }) => [...endpoints]);
}
