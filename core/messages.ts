// Messages between main and workers (postMessage). Per-request data goes through the shared region instead. Thread: both.

import type { Signal } from './failure.ts';
import type { LogLevel } from './log.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/**
 * Descriptors of sockets that are already bound, by listener name. For a listener with an entry, even an empty one, the
 * worker adopts these descriptors in addition to those it has and binds nothing itself.
 */
export type HeldDescriptors = Readonly<Record<string, readonly number[]>>;

/** workerData of a starting worker. */
export interface WorkerStart {
  readonly worker: number;
  readonly region: SharedArrayBuffer;
  readonly snapshot: Snapshot;
  readonly descriptors: HeldDescriptors;
}

export type MessageToWorker =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly descriptors: HeldDescriptors }
  /** Stop accepting, keep idle connections for `idleMs`, destroy what is left at the deadline. */
  | { readonly kind: 'drain'; readonly graceMs: number; readonly idleMs: number }
  | { readonly kind: 'reopen-logs' }
  /** Close idle connections to this slot, whose endpoint is down. */
  | { readonly kind: 'drop-idle'; readonly slot: number };

export type MessageToMain =
  /** All listeners are bound; `bound` lists their addresses in the order of the Snapshot. */
  | { readonly kind: 'listening'; readonly bound: readonly BoundListener[] }
  | { readonly kind: 'bind-failed'; readonly listener: string; readonly address: string; readonly error: string }
  | { readonly kind: 'acknowledged'; readonly revision: number }
  /** An endpoint's consecutive failures have reached the threshold of its upstream. */
  | { readonly kind: 'threshold'; readonly slot: number; readonly generation: number; readonly signal: Signal }
  /** The worker marked an endpoint suspect. */
  | { readonly kind: 'suspect'; readonly slot: number; readonly generation: number; readonly signal: Signal }
  /** A half-open trial has ended. */
  | { readonly kind: 'trial'; readonly slot: number; readonly generation: number; readonly ok: boolean }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly text: string }
  /** Open exchanges of each revision but the newest, oldest first. */
  | { readonly kind: 'open-revisions'; readonly older: readonly OpenRevision[] }
  | { readonly kind: 'drained' };

/** Open exchanges of one worker that began under a revision. */
export interface OpenRevision {
  readonly revision: number;
  readonly exchanges: number;
}

export interface BoundListener {
  readonly name: string;
  /** host:port or socket path. */
  readonly address: string;
  readonly port: number;
}
