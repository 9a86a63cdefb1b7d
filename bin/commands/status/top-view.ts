// View of `top`: what the keys change, and the lines of a screen. Pure. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import type { RequestsReply } from '../../../admin/api/request-schemas.ts';
import type { Admin } from '../../../core/availability.ts';
import { paintsFor } from './paints.ts';
import { REQUEST_SORTS, requestsLines, type RequestSort } from './requests-text.ts';
import { SORTS, type Sort, statusLines } from './status-text.ts';
import { cut, type TableLine } from './status-table.ts';
import type { TopKey } from './top-keys.ts';

export interface TopView {
  readonly mode: 'endpoints' | 'requests';
  /** Whether only endpoints that are not up are shown. */
  readonly isTroubleOnly: boolean;
  readonly sort: Sort;
  readonly requestSort: RequestSort;
  readonly filter: string;
  /** Whether keys are part of the filter. */
  readonly isTyping: boolean;
  /** Name of the endpoint that keys act on; null for none. */
  readonly selected: string | null;
  /** Lines of the table scrolled off above the screen. */
  readonly offset: number;
  /** A change that waits for its confirmation. */
  readonly pending: TopChange | null;
}

export interface TopChange {
  readonly endpoint: string;
  readonly admin: Admin;
}

/** A key that the program acts on: the user leaves, or has confirmed a change. */
export type TopAct = 'leave' | TopChange;

export interface ScreenSize {
  readonly width: number;
  /** Null for a pipe, which scrolls nothing and has no keys. */
  readonly height: number | null;
  readonly hasColor: boolean;
}

export const firstView: TopView = {
  mode: 'endpoints',
  isTroubleOnly: false,
  sort: 'name',
  requestSort: 'age',
  filter: '',
  isTyping: false,
  selected: null,
  offset: 0,
  pending: null,
};

const PAGE = 10;
const LONGEST_FILTER = 60;
const CHANGES: Readonly<Record<string, Admin>> = { d: 'drain', r: 'ready', m: 'maintenance' };
const MOVES: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageUp: -PAGE,
  pageDown: PAGE,
  ' ': PAGE,
  first: Number.NEGATIVE_INFINITY,
  g: Number.NEGATIVE_INFINITY,
  last: Number.POSITIVE_INFINITY,
  G: Number.POSITIVE_INFINITY,
};

/** @param names of the endpoints shown, from top to bottom */
export function stepView(view: TopView, key: TopKey, names: readonly string[]): { view: TopView; act: TopAct | null } {
  if (key === 'interrupt') return { view, act: 'leave' };
  if (view.pending !== null) return { view: { ...view, pending: null }, act: key === 'y' ? view.pending : null };
  if (view.isTyping) return { view: typed(view, key), act: null };
  if (key === 'q') return { view, act: 'leave' };
  return { view: commanded(view, key, names), act: null };
}

function typed(view: TopView, key: TopKey): TopView {
  if (key === 'enter') return { ...view, isTyping: false };
  if (key === 'escape') return { ...view, isTyping: false, filter: '' };
  if (key === 'backspace') return { ...view, filter: view.filter.slice(0, -1) };
  if (key.length > 2 || view.filter.length >= LONGEST_FILTER) return view;
  return { ...view, filter: view.filter + key, offset: 0 };
}

function commanded(view: TopView, key: TopKey, names: readonly string[]): TopView {
  const isOfEndpoints = view.mode === 'endpoints';
  if (Object.hasOwn(MOVES, key)) return moved(view, MOVES[key]!, names);
  if (Object.hasOwn(CHANGES, key) && isOfEndpoints && view.selected !== null) {
    return { ...view, pending: { endpoint: view.selected, admin: CHANGES[key]! } };
  }
  switch (key) {
    case 't':
      return { ...view, isTroubleOnly: !view.isTroubleOnly, offset: 0 };
    case 's':
      return isOfEndpoints
        ? { ...view, sort: after(SORTS, view.sort) }
        : { ...view, requestSort: after(REQUEST_SORTS, view.requestSort) };
    case '/':
      return { ...view, isTyping: true, filter: '', offset: 0 };
    case 'escape':
      return { ...view, filter: '', selected: null };
    case 'v':
    case 'tab':
      return { ...view, mode: isOfEndpoints ? 'requests' : 'endpoints', offset: 0, filter: '' };
    default:
      return view;
  }
}

/** Moves the selection; requests have none, so that their table scrolls. */
function moved(view: TopView, by: number, names: readonly string[]): TopView {
  if (view.mode === 'requests') return { ...view, offset: clamp(view.offset + by, Number.MAX_SAFE_INTEGER) };
  if (names.length === 0) return view;
  const at = view.selected === null ? -1 : names.indexOf(view.selected);
  const next = at === -1 ? (by > 1 ? by : 0) : at + by;
  return { ...view, selected: names[clamp(next, names.length - 1)]! };
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}

function after<Value>(values: readonly Value[], value: Value): Value {
  return values[(values.indexOf(value) + 1) % values.length]!;
}

export interface Frame {
  readonly lines: readonly string[];
  /** The view with a valid offset. */
  readonly view: TopView;
  /** Names of the endpoints in the table, shown or scrolled off. */
  readonly names: readonly string[];
}

/**
 * The lines of a screen.
 * @param requests null until they are known
 * @param notice result of the last change; '' for none
 */
export function frameOf(
  live: LiveReply,
  requests: RequestsReply | null,
  { view, size, notice }: { readonly view: TopView; readonly size: ScreenSize; readonly notice: string },
): Frame {
  const { head, body } = contentOf(live, requests, view, size);
  const names = [...new Set(body.flatMap(({ key }) => (key === null ? [] : [key])))];
  const inverse = paintsFor(size.hasColor).inverse;
  const painted = ({ text, paint, key }: TableLine): string => {
    const isSelected = key !== null && key === view.selected && size.height !== null;
    return isSelected ? inverse(text.padEnd(Math.min(size.width, 200))) : paint(text);
  };
  if (size.height === null) return { lines: [...head, ...body.map(painted)], view, names };
  const room = Math.max(1, size.height - head.length - 1);
  const offset = offsetFor(view, body, room);
  const shown = body.slice(offset, offset + room);
  const foot = cut(footOf(view, notice, body.length - shown.length), size.width);
  return { lines: [...head, ...shown.map(painted), foot], view: { ...view, offset }, names };
}

function contentOf(live: LiveReply, requests: RequestsReply | null, view: TopView, size: ScreenSize) {
  const { width, hasColor } = size;
  const { filter, sort, requestSort, isTroubleOnly } = view;
  if (view.mode === 'endpoints') return statusLines(live, { width, hasColor, isTroubleOnly, sort, filter });
  if (requests === null) return { head: ['reading the requests in flight'], body: [] };
  return requestsLines(requests, { width, hasColor, sort: requestSort, filter });
}

/** Scrolls as far as the selection needs; without one, as far as the keys have. */
function offsetFor(view: TopView, body: readonly TableLine[], room: number): number {
  const last = Math.max(0, body.length - room);
  const at = view.selected === null ? -1 : body.findIndex(({ key }) => key === view.selected);
  if (at === -1 || view.mode === 'requests') return Math.min(view.offset, last);
  if (at < view.offset) return at;
  return Math.min(last, Math.max(view.offset, at - room + 1));
}

function footOf(view: TopView, notice: string, hidden: number): string {
  const { pending, isTyping, filter, mode } = view;
  if (pending !== null) return `${pending.admin} ${pending.endpoint}? y: yes, any other key: no`;
  if (isTyping) return `filter: ${filter}_   Enter: keep, Esc: clear`;
  if (notice !== '') return notice;
  const more = hidden > 0 ? `${hidden} more  ` : '';
  const filtered = filter === '' ? '/ filter' : `filtered: ${filter} (Esc)`;
  if (mode === 'requests') return `${more}q quit  v endpoints  s sort: ${view.requestSort}  ${filtered}`;
  const trouble = view.isTroubleOnly ? 't all' : 't trouble';
  const order = `s sort: ${view.sort}`;
  if (view.selected !== null) return `${more}q quit  d drain  r ready  m maintain  ${order}  ${filtered}`;
  return `${more}q quit  v requests  ${order}  ${trouble}  ${filtered}  arrows select`;
}
