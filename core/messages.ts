// What main and workers say to each other by postMessage. Everything per request goes through the region instead.
// Thread: both.

import type { Signal } from './failure.ts';
import type { LogLevel } from './log.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/**
 * Descriptors of sockets that are bound already, by the listener's name. Where a listener has an entry the worker takes
 * these besides what it has, and binds nothing itself, not even where the entry is empty.
 */
export type HeldDescriptors = Readonly<Record<string, readonly number[]>>;

/** What a worker is given when it starts. */
export interface WorkerStart {
  readonly worker: number;
  readonly region: SharedArrayBuffer;
  readonly snapshot: Snapshot;
  readonly descriptors: HeldDescriptors;
}

export type MessageToWorker =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly descriptors: HeldDescriptors }
  /** Stop accepting, let connections be idle for `idleMs` more, end the rest at the deadline. */
  | { readonly kind: 'drain'; readonly graceMs: number; readonly idleMs: number }
  | { readonly kind: 'reopen-logs' }
  /** Close idle connections to this slot: it is down. */
  | { readonly kind: 'drop-idle'; readonly slot: number };

export type MessageToMain =
  /** All listeners are bound; `bound` gives the address of each, in the Snapshot's order. */
  | { readonly kind: 'listening'; readonly bound: readonly BoundListener[] }
  | { readonly kind: 'bind-failed'; readonly listener: string; readonly address: string; readonly error: string }
  | { readonly kind: 'acknowledged'; readonly revision: number }
  /** The count of consecutive failures of an endpoint has just reached its upstream's threshold. */
  | { readonly kind: 'threshold'; readonly slot: number; readonly generation: number; readonly signal: Signal }
  /** A worker has marked an endpoint suspect. */
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
  /** host:port or the socket's path. */
  readonly address: string;
  readonly port: number;
}
