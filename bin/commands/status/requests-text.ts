// Renders the requests in flight as a table for `top`: the slowest or largest, and the clients with the most. Pure.
// Thread: main.

import type { RequestsReply } from '../../../admin/api/request-schemas.ts';
import { plainText } from '../explain/why-text.ts';
import { type Paints, paintsFor } from './paints.ts';
import { milliseconds } from './status-text.ts';
import { type Column, cut, type Row, type TableLine, tableLines } from './status-table.ts';

type Request = RequestsReply['requests'][number];

export const REQUEST_SORTS = ['age', 'sent', 'received'] as const;
export type RequestSort = (typeof REQUEST_SORTS)[number];

export interface RequestsTextOptions {
  readonly width: number;
  readonly hasColor: boolean;
  readonly sort?: RequestSort;
  /** Only requests whose client, host, path, route, endpoint or phase contains this. */
  readonly filter?: string;
}

const COLUMNS: readonly Column[] = [
  { title: 'REQUEST', isNumber: false, spare: 0 },
  { title: 'AGE', isNumber: true, spare: 0 },
  { title: 'PHASE', isNumber: false, spare: 0 },
  { title: 'CLIENT', isNumber: false, spare: 2 },
  { title: 'ENDPOINT', isNumber: false, spare: 1 },
  { title: 'TRIES', isNumber: true, spare: 4 },
  { title: 'RECEIVED', isNumber: true, spare: 5 },
  { title: 'SENT', isNumber: true, spare: 3 },
];
/** Clients in the heading. */
const SHOWN_CLIENTS = 5;
/** A request this old is marked. */
const SLOW_MS = 5_000;
/** Longest method and target in the table, which keeps room for the other columns. */
const LONGEST_REQUEST = 40;

/** Totals and clients; then the requests. */
export function requestsLines(reply: RequestsReply, options: RequestsTextOptions) {
  const { width, sort = 'age', filter = '' } = options;
  const paints = paintsFor(options.hasColor);
  const shown = reply.requests
    .filter((request) => hasText(request, filter))
    .toSorted((a, b) => figureOf(b, sort) - figureOf(a, sort));
  const rows = shown.map((request) => rowOf(request, paints));
  const { header, body } = tableLines(COLUMNS, rows, '', width);
  const head = [...headLines(reply, width, paints), paints.dim(header)];
  return { head, body: body satisfies readonly TableLine[] };
}

function headLines({ total, requests, clients, missingWorkers }: RequestsReply, width: number, paints: Paints) {
  const listed = total > requests.length ? `, the oldest ${requests.length} are listed` : '';
  const missing = missingWorkers.length === 0 ? '' : `; no answer from worker ${missingWorkers.join(', ')}`;
  const loudest = clients
    .slice(0, SHOWN_CLIENTS)
    .map(({ client, requests: count }) => `${client || 'unix'} (${count})`);
  const words = loudest.length === 0 ? 'no clients' : `most requests: ${loudest.join(', ')}`;
  const first = cut(`${total} requests in flight${listed}${missing}`, width);
  return [missing === '' ? first : paints.yellow(first), cut(plainText(words), width), ''];
}

function hasText({ client, host, path, route, upstream, endpoint, phase }: Request, filter: string): boolean {
  if (filter === '') return true;
  const text = [client, host, path, route, upstream, endpoint, phase].join(' ').toLowerCase();
  return text.includes(filter.toLowerCase());
}

function figureOf({ ageMs, bytesSent, bytesReceived }: Request, sort: RequestSort): number {
  return { age: ageMs, sent: bytesSent, received: bytesReceived }[sort];
}

function rowOf(request: Request, paints: Paints): Row {
  const { method, host, path, ageMs, phase, client, upstream, endpoint, attempts } = request;
  const cells = [
    cut(plainText(`${method} ${host}${path}`), LONGEST_REQUEST),
    milliseconds(ageMs),
    phase,
    plainText(client || 'unix'),
    plainText(endpoint || upstream || '-'),
    String(attempts),
    bytes(request.bytesReceived),
    bytes(request.bytesSent),
  ];
  const isSlow = ageMs >= SLOW_MS && phase !== 'tunnel';
  return { cells, note: '', paint: isSlow ? paints.yellow : paints.none, key: null };
}

/** `512 B`, `3.4 MiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = count;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : Number(amount.toFixed(1))} ${units[unit]}`;
}
