// Columns of the table of endpoints: their titles, widths, values for sorting and texts. Pure. Runs in the browser.

import type { Row } from '../types.ts';
import { age, bytes, connectionText, count, millis, percent, rate, span, weightText } from './format.ts';
import { STATES } from './states.ts';

export interface Column {
  readonly title: string;
  /** In rem. */
  readonly width: number;
  readonly value: (row: Row) => number | string | null;
  readonly text: (row: Row, nowMs: number) => string;
  /** Whether the column holds text, which is aligned to the left and sorted upwards first. */
  readonly isText?: true;
}

/** Every row begins with these; they have cells of their own. */
export const FIXED_COLUMNS = {
  state: {
    title: 'state',
    width: 9,
    value: ({ availability }) => STATES[availability].rank,
    text: () => '',
    isText: true,
  },
  name: { title: 'endpoint', width: 15, value: ({ key }) => key, text: ({ key }) => key, isText: true },
} as const satisfies Record<string, Column>;

export const COLUMNS = {
  since: {
    title: 'since',
    width: 6,
    value: ({ since }) => -Date.parse(since),
    text: ({ since }, nowMs) => age(since, nowMs),
  },
  weight: { title: 'weight', width: 5.5, value: ({ weight }) => weight, text: weightText },
  connections: {
    title: 'connections',
    width: 7.2,
    value: ({ connections }) => connections,
    text: connectionText,
  },
  inFlight: {
    title: 'in flight',
    width: 5.4,
    value: ({ inFlight }) => inFlight,
    text: ({ inFlight }) => count(inFlight),
  },
  queued: { title: 'queued', width: 5.2, value: ({ queued }) => queued, text: ({ queued }) => count(queued) },
  rate: {
    title: 'req/s',
    width: 5,
    value: ({ requestsPerSecond }) => requestsPerSecond,
    text: ({ requestsPerSecond }) => rate(requestsPerSecond),
  },
  errors: {
    title: 'errors',
    width: 5.2,
    value: ({ errorShare }) => errorShare,
    text: ({ errorShare }) => percent(errorShare),
  },
  p50: { title: 'p50', width: 5.2, value: ({ p50Ms }) => p50Ms, text: ({ p50Ms }) => millis(p50Ms) },
  p99: { title: 'p99', width: 5.2, value: ({ p99Ms }) => p99Ms, text: ({ p99Ms }) => millis(p99Ms) },
  sent: { title: 'sent', width: 6, value: ({ bytesSent }) => bytesSent, text: ({ bytesSent }) => bytes(bytesSent) },
  received: {
    title: 'received',
    width: 6,
    value: ({ bytesReceived }) => bytesReceived,
    text: ({ bytesReceived }) => bytes(bytesReceived),
  },
  retries: { title: 'retries', width: 5.2, value: ({ retries }) => retries, text: ({ retries }) => count(retries) },
  ejections: {
    title: 'ejections',
    width: 6.2,
    value: ({ ejections }) => ejections,
    text: ({ ejections }) => count(ejections),
  },
  downtime: {
    title: 'downtime',
    width: 6.4,
    value: ({ downtimeSeconds }) => downtimeSeconds,
    text: ({ downtimeSeconds }) => span(downtimeSeconds),
  },
  zone: { title: 'zone', width: 7, value: ({ zone }) => zone, text: ({ zone }) => zone || '–', isText: true },
  source: { title: 'source', width: 6, value: ({ source }) => source, text: ({ source }) => source, isText: true },
  origin: { title: 'origin', width: 12, value: ({ origin }) => origin, text: ({ origin }) => origin, isText: true },
} as const satisfies Record<string, Column>;

export type ColumnId = keyof typeof COLUMNS;
export type SortId = ColumnId | keyof typeof FIXED_COLUMNS;

export const COLUMN_IDS = Object.keys(COLUMNS) as ColumnId[];

export const DEFAULT_COLUMNS: readonly ColumnId[] = [
  'since',
  'weight',
  'connections',
  'inFlight',
  'queued',
  'rate',
  'errors',
  'p50',
  'p99',
];

export function columnOf(id: SortId): Column {
  return { ...FIXED_COLUMNS, ...COLUMNS }[id];
}

export function isColumn(text: string): text is ColumnId {
  return Object.hasOwn(COLUMNS, text);
}
