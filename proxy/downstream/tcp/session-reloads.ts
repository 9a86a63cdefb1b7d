// TCP sessions over reloads: those of endpoints that a reload has removed end after its drain time, and all that began
// before it at its hard stop. Others continue, with the settings of their time. Thread: worker.

import { type AmendedUpstream, identityOf } from '../../../core/endpoint-delta.ts';
import type { TcpSession } from './tcp-session.ts';
import type { SessionParts } from './session-context.ts';

/** Sessions with a deadline are checked this often. */
const CHECK_EVERY_MS = 250;

export class SessionReloads {
  readonly #parts: SessionParts;
  readonly #open: ReadonlySet<TcpSession>;
  readonly #end: (session: TcpSession) => void;
  #isArmed = false;

  /** @param end ends a session at once */
  constructor(parts: SessionParts, open: ReadonlySet<TcpSession>, end: (session: TcpSession) => void) {
    this.#parts = parts;
    this.#open = open;
    this.#end = end;
  }

  /** Records which sessions a new Snapshot concerns. */
  reloaded(): void {
    const { clock, runtime } = this.#parts;
    const nowMs = clock.nowMs();
    const present = new Set<string>();
    for (const { endpoints } of runtime().snapshot.upstreams) for (const one of endpoints) present.add(identityOf(one));
    for (const session of this.#open) {
      if (session.replacedMs === 0) session.replacedMs = nowMs;
      const isRemoved = session.attempt !== null && !present.has(identityOf(session.attempt.endpoint));
      session.removedMs = isRemoved ? session.removedMs || nowMs : 0;
    }
    this.#check();
  }

  /** Endpoints changed without a reload. */
  amend(upstreams: readonly AmendedUpstream[]): void {
    if (this.#open.size === 0) return;
    const present = new Set(upstreams.flatMap(({ changed }) => changed.map(identityOf)));
    const gone = new Set(upstreams.flatMap(({ removed }) => removed.map(identityOf)));
    const nowMs = this.#parts.clock.nowMs();
    for (const session of this.#open) {
      if (session.attempt === null) continue;
      const identity = identityOf(session.attempt.endpoint);
      if (present.has(identity)) session.removedMs = 0;
      else if (gone.has(identity)) session.removedMs ||= nowMs;
    }
    this.#check();
  }

  #check(): void {
    const { clock, runtime, timers } = this.#parts;
    const { drainMs, hardStopMs } = runtime().snapshot.reload;
    const nowMs = clock.nowMs();
    let hasDeadlines = false;
    for (const session of this.#open) {
      const { removedMs, replacedMs } = session;
      const isOverdue = hardStopMs > 0 && replacedMs > 0 && nowMs - replacedMs >= hardStopMs;
      if (isOverdue || (removedMs > 0 && nowMs - removedMs >= drainMs)) this.#end(session);
      else hasDeadlines ||= removedMs > 0 || (hardStopMs > 0 && replacedMs > 0);
    }
    if (!hasDeadlines || this.#isArmed) return;
    this.#isArmed = true;
    timers.after(CHECK_EVERY_MS, () => {
      this.#isArmed = false;
      this.#check();
    });
  }
}
