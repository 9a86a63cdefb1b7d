// The place in the page, kept in the fragment of its address: the view, filters, columns and the open endpoint. A link
// leads others to the same place. Pure. Runs in the browser.

import { type ColumnId, DEFAULT_COLUMNS, isColumn, type SortId } from './columns.ts';
import { type Filter, type Order, START_ORDER, type StateFilter } from './rows.ts';
import { STATES } from './states.ts';

export const VIEWS = [
  'overview',
  'routes',
  'endpoints',
  'timeline',
  'configuration',
  'certificates',
  'system',
] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Place {
  readonly view: ViewName;
  readonly filter: Filter;
  readonly order: Order;
  readonly columns: readonly ColumnId[];
  readonly isGrouped: boolean;
  /** Key of the endpoint whose details are open; ''. */
  readonly endpoint: string;
}

const START: Place = {
  view: 'overview',
  filter: { text: '', state: '', upstream: '' },
  order: START_ORDER,
  columns: DEFAULT_COLUMNS,
  isGrouped: false,
  endpoint: '',
};

/** @param fragment with or without `#`; parts that aren't valid are ignored */
export function placeOf(fragment: string): Place {
  const [, name = '', query = ''] = /^#?\/?([^?]*)\??(.*)$/.exec(fragment) ?? [];
  const given = new URLSearchParams(query);
  const view = VIEWS.find((one) => one === name) ?? START.view;
  const sort = given.get('sort') ?? '';
  const columns = given.get('columns');
  const column = sort.replace(/^-/, '');
  return {
    view,
    filter: {
      text: given.get('find') ?? '',
      state: stateOf(given.get('state') ?? ''),
      upstream: given.get('upstream') ?? '',
    },
    order: isSort(column) ? { column, isDescending: sort.startsWith('-') } : START.order,
    columns: columns === null ? DEFAULT_COLUMNS : columns.split(',').filter(isColumn),
    isGrouped: given.get('group') === 'upstream',
    endpoint: given.get('endpoint') ?? '',
  };
}

/** The fragment of a place, which `placeOf` reads back; '' for the start. */
export function fragmentOf({ view, filter, order, columns, isGrouped, endpoint }: Place): string {
  const isStartOrder = order.column === START.order.column && order.isDescending === START.order.isDescending;
  const pairs = {
    find: filter.text,
    state: filter.state,
    upstream: filter.upstream,
    sort: isStartOrder ? '' : `${order.isDescending ? '-' : ''}${order.column}`,
    group: isGrouped ? 'upstream' : '',
    endpoint,
  };
  const query = new URLSearchParams(Object.entries(pairs).filter(([, value]) => value !== ''));
  if (columns.join() !== DEFAULT_COLUMNS.join()) query.set('columns', columns.join());
  const text = query.toString();
  if (view === START.view && text === '') return '';
  return `#/${view}${text === '' ? '' : `?${text}`}`;
}

function stateOf(text: string): StateFilter {
  return text === 'problem' || Object.hasOwn(STATES, text) ? (text as StateFilter) : '';
}

function isSort(text: string): text is SortId {
  return text === 'state' || text === 'name' || isColumn(text);
}
