// Folds suspicions that repeat: an endpoint that is suspect and cleared again and again gets one pair of events and lines
// a minute, with the number of those in between. Metrics count every change. Thread: main.

import type { StateEdge } from '../state/endpoint-state.ts';

const WINDOW_MS = 60_000;

interface Window {
  readonly startMs: number;
  /** Pairs folded since its start. */
  folded: number;
  /** Whether the suspicion that is open now is folded, so that its end is too. */
  isOpenFolded: boolean;
}

export class SuspicionFolding {
  /** By slot. */
  readonly #windows = new Map<number, Window>();

  /**
   * Decides about an edge. Returns null where it is folded, otherwise a note for its line: '' or the number of
   * suspicions that were folded before it.
   */
  take(slot: number, { axis, from, to }: StateEdge, nowMs: number): string | null {
    if (axis !== 'outlier') return '';
    const window = this.#windows.get(slot);
    if (from === 'suspect') return to === 'none' && window?.isOpenFolded === true ? null : '';
    if (to !== 'suspect') return '';
    if (window !== undefined && nowMs - window.startMs < WINDOW_MS) {
      window.folded++;
      window.isOpenFolded = true;
      return null;
    }
    this.#windows.set(slot, { startMs: nowMs, folded: 0, isOpenFolded: false });
    const folded = window?.folded ?? 0;
    return folded === 0 ? '' : `suspect ${folded} more ${folded === 1 ? 'time' : 'times'} within a minute before`;
  }

  /** Drops the window of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#windows.delete(slot);
  }
}
