// Model of the tables: rows, filters, orders, groups, sums. Pure. Runs in the browser.

import type { Live, LiveUpstream, Row, State } from '../types.ts';
import { columnOf, type SortId } from './columns.ts';
import { isProblem, STATES, worstRank } from './states.ts';

export type StateFilter = '' | 'problem' | State;

export interface Filter {
  readonly text: string;
  readonly state: StateFilter;
  readonly upstream: string;
}

export interface Order {
  readonly column: SortId;
  readonly isDescending: boolean;
}

/** Problems first. */
export const START_ORDER: Order = { column: 'state', isDescending: false };

/** One row for each endpoint. */
export function rowsOf({ upstreams }: Pick<Live, 'upstreams'>): Row[] {
  return upstreams.flatMap(({ name: upstream, endpoints }) =>
    endpoints.map((endpoint) => ({ ...endpoint, upstream, key: `${upstream}/${endpoint.name}` })),
  );
}

/** Words of the text must all occur in name, cause or state. */
export function filterRows(rows: readonly Row[], { text, state, upstream }: Filter): Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (upstream !== '' && row.upstream !== upstream) return false;
    if (!fitsState(row.availability, state)) return false;
    if (words.length === 0) return true;
    const haystack = `${row.key} ${STATES[row.availability].label} ${row.cause}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

export function fitsState(availability: State, wanted: StateFilter): boolean {
  return wanted === '' || (wanted === 'problem' ? isProblem(availability) : availability === wanted);
}

const BY_NAME = new Intl.Collator('en', { numeric: true });

/** By a column, then by name; unknown values come last in both directions. */
export function sortRows(rows: readonly Row[], { column, isDescending }: Order): Row[] {
  const { value: valueOf } = columnOf(column);
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return x === y ? BY_NAME.compare(a.key, b.key) : x === null ? 1 : -1;
    const difference = typeof x === 'string' ? BY_NAME.compare(x, String(y)) : x - Number(y);
    return difference === 0 ? BY_NAME.compare(a.key, b.key) : sign * difference;
  });
}

/** Rows of one upstream. */
export interface Group {
  readonly upstream: string;
  readonly rows: readonly Row[];
}

/** Rows by upstream in the order of the first row of each: with problems first, those with problems come first. */
export function groupRows(rows: readonly Row[]): Group[] {
  return [...Map.groupBy(rows, ({ upstream }) => upstream)].map(([upstream, own]) => ({ upstream, rows: own }));
}

/** Those with the most serious endpoint first. */
export function sortUpstreams(upstreams: readonly LiveUpstream[]): LiveUpstream[] {
  const ranks = new Map(upstreams.map((one) => [one, worstRank(one)]));
  return upstreams.toSorted((a, b) => ranks.get(a)! - ranks.get(b)! || BY_NAME.compare(a.name, b.name));
}

/** Sums over all upstreams. */
export function summaryOf({ upstreams, requestsPerSecond }: Pick<Live, 'upstreams' | 'requestsPerSecond'>) {
  const states = upstreams.flatMap(({ endpoints }) => endpoints.map(({ availability }) => availability));
  return {
    requestsPerSecond,
    queued: upstreams.reduce((sum, { queued }) => sum + queued, 0),
    endpoints: states.length,
    problems: states.filter(isProblem).length,
    setAside: states.filter((state) => STATES[state].tone === 'set').length,
  };
}
