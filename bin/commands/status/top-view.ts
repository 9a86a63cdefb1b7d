// View of `top`, and its keys. Pure. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { statusLines } from './status-text.ts';

export interface TopView {
  /** Whether only endpoints that are not up are shown. */
  readonly isTroubleOnly: boolean;
  /** Lines of the table scrolled off above the screen. */
  readonly offset: number;
}

export type TopKey = 'trouble' | 'up' | 'down' | 'pageUp' | 'pageDown' | 'first';

export interface ScreenSize {
  readonly width: number;
  readonly height: number;
  readonly hasColor: boolean;
}

export const firstView: TopView = { isTroubleOnly: false, offset: 0 };

/** Head lines and the table's header stay while the table scrolls. */
const FIXED_LINES = 4;
const PAGE = 10;

const KEYS: readonly (readonly [string, TopKey | 'leave'])[] = [
  ['\u001b[5~', 'pageUp'],
  ['\u001b[6~', 'pageDown'],
  ['\u001b[A', 'up'],
  ['\u001b[B', 'down'],
  ['\u001b[H', 'first'],
  ['k', 'up'],
  ['j', 'down'],
  [' ', 'pageDown'],
  ['g', 'first'],
  ['t', 'trouble'],
  ['q', 'leave'],
  // Ctrl-C: in raw mode the terminal sends no signal.
  ['\u0003', 'leave'],
];

/** The keys in the input of a terminal; unknown ones are skipped. */
export function keyOf(text: string): (TopKey | 'leave')[] {
  const found: (TopKey | 'leave')[] = [];
  for (let at = 0; at < text.length; ) {
    const key = KEYS.find(([sequence]) => text.startsWith(sequence, at));
    if (key !== undefined) found.push(key[1]);
    at += key === undefined ? 1 : key[0].length;
  }
  return found;
}

export function stepView(view: TopView, key: TopKey): TopView {
  if (key === 'trouble') return { isTroubleOnly: !view.isTroubleOnly, offset: 0 };
  if (key === 'first') return { ...view, offset: 0 };
  const by = { up: -1, down: 1, pageUp: -PAGE, pageDown: PAGE }[key];
  return { ...view, offset: Math.max(0, view.offset + by) };
}

/** The lines of a screen, and the view with a valid offset. */
export function frameOf(live: LiveReply, view: TopView, size: ScreenSize): { lines: string[]; view: TopView } {
  const all = statusLines(live, { ...size, isTroubleOnly: view.isTroubleOnly });
  const room = Math.max(1, size.height - FIXED_LINES - 1);
  const rows = all.slice(FIXED_LINES);
  const offset = Math.max(0, Math.min(view.offset, rows.length - room));
  const shown = rows.slice(offset, offset + room);
  const hidden = rows.length - shown.length;
  const hint = `${view.isTroubleOnly ? 't: all' : 't: trouble only'}  q: quit`;
  // A pipe has no keys.
  if (size.height === Number.MAX_SAFE_INTEGER) return { lines: all, view };
  const foot = hidden > 0 ? `${hidden} more rows (arrows)  ${hint}` : hint;
  return { lines: [...all.slice(0, FIXED_LINES), ...shown, foot], view: { ...view, offset } };
}
