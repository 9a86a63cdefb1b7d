// Renders the complete state as a table for a terminal, for `status` and `top`. Pure. Thread: main.

import { counted } from '../../../core/counted.ts';
import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { percentWords } from '../../../health/record/health-words.ts';
import { plainText } from '../explain/why-text.ts';
import { type Paints, paintOf, paintsFor } from './paints.ts';
import { type Column, cut, type Row, type TableLine, tableLines } from './status-table.ts';

type Upstream = LiveReply['upstreams'][number];
type Endpoint = Upstream['endpoints'][number];

/** Orders of endpoints within their upstream; `name` is the order of the configuration. */
export const SORTS = ['name', 'state', 'inflight', 'req/s', 'errors', 'p99'] as const;
export type Sort = (typeof SORTS)[number];

export interface StatusTextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly hasColor: boolean;
  /** Whether healthy upstreams and endpoints are left out. */
  readonly isTroubleOnly: boolean;
  readonly sort?: Sort;
  /** Only endpoints whose name, upstream or state contains this. */
  readonly filter?: string;
}

/** Lines of the state in three parts, of which a screen scrolls the last. */
export interface StatusLines {
  readonly head: readonly string[];
  readonly body: readonly TableLine[];
}

const COLUMNS: readonly Column[] = [
  { title: 'ENDPOINT', isNumber: false, spare: 0 },
  { title: 'STATE', isNumber: false, spare: 0 },
  { title: 'FOR', isNumber: true, spare: 3 },
  { title: 'WEIGHT', isNumber: true, spare: 6 },
  { title: 'PROTO', isNumber: false, spare: 8 },
  { title: 'CONNS', isNumber: true, spare: 7 },
  { title: 'STREAMS', isNumber: true, spare: 9 },
  { title: 'INFLIGHT', isNumber: true, spare: 0 },
  { title: 'QUEUED', isNumber: true, spare: 4 },
  { title: 'REQ/S', isNumber: true, spare: 0 },
  { title: 'ERRORS', isNumber: true, spare: 1 },
  { title: 'P50', isNumber: true, spare: 5 },
  { title: 'P99', isNumber: true, spare: 2 },
];

/** Left out where every endpoint is configured, and has no zone. */
const ORIGIN_COLUMNS: readonly Column[] = [
  { title: 'ZONE', isNumber: false, spare: 10 },
  { title: 'ORIGIN', isNumber: false, spare: 11 },
];

/** First lines: the process and the table's header; then its rows. Each is one line of the width. */
export function statusLines(live: LiveReply, options: StatusTextOptions): StatusLines {
  const { width } = options;
  const paints = paintsFor(options.hasColor);
  const hasOrigins = live.upstreams.some(({ endpoints }) => endpoints.some(isElsewhere));
  const columns = hasOrigins ? [...COLUMNS, ...ORIGIN_COLUMNS] : COLUMNS;
  const rows = live.upstreams.flatMap((upstream) => rowsOf(upstream, live, options, paints));
  const shown = rows.map((row) => ({ ...row, cells: row.cells.slice(0, columns.length) }));
  const { header, body } = tableLines(columns, shown, 'CAUSE', width);
  const nothing = options.isTroubleOnly && (options.filter ?? '') === '' ? 'everything is up' : 'no endpoint matches';
  const top = headLines(live, width, paints);
  if (rows.length === 0) return { head: [...top, nothing], body: [] };
  return { head: [...top, paints.dim(header)], body };
}

function headLines(live: LiveReply, width: number, paints: Paints): string[] {
  const { generation, uptimeSeconds, exchanges, connections, workers } = live;
  const listening = workers.filter(({ state }) => state === 'listening').length;
  const state = live.ready ? 'ready' : `NOT READY: ${live.notReadyBecause.join('; ')}`;
  const counts = `${counted(exchanges, 'request')} in progress, ${counted(connections, 'connection')}${http2Words(live)}`;
  const run = `revision ${generation}, ${listening} of ${workers.length} workers, up ${ageWords(uptimeSeconds)}`;
  const first = cut(plainText(`Fairlead: ${state}`), width);
  return [
    live.ready ? first : paints.red(first),
    cut(`${counts}; ${run}`, width),
    maintenanceLine(live, width, paints),
    ...providerLines(live, width, paints),
    ...registrationLines(live, width, paints),
  ];
}

function http2Words({ listeners }: LiveReply): string {
  const sum = (read: (one: LiveReply['listeners'][number]) => number | undefined) =>
    listeners.reduce((total, one) => total + (read(one) ?? 0), 0);
  const connections = sum((one) => one.http2Connections);
  return connections === 0 ? '' : ` (${connections} over HTTP/2 with ${sum((one) => one.streams)} streams)`;
}

/** Routes and upstreams in maintenance; '' for none, and for a Fairlead of an earlier version. */
function maintenanceLine(live: LiveReply, width: number, paints: Paints): string {
  const { maintenance = [] } = live as Partial<LiveReply>;
  if (maintenance.length === 0) return '';
  const names = maintenance.map(({ of, name }) => `${of} ${name}`).join(', ');
  return paints.yellow(cut(plainText(`in maintenance: ${names}`), width));
}

/** One of each; none for a Fairlead of an earlier version. */
function providerLines(live: LiveReply, width: number, paints: Paints): string[] {
  const { providers = [] } = live as Partial<LiveReply>;
  return providers.map(({ name, state, ageSeconds, cause, accepted, refused }) => {
    const age = ageSeconds === null ? '' : `, confirmed ${ageWords(ageSeconds)} ago`;
    const because = cause === '' ? '' : `: ${cause}`;
    const objects = `${accepted} objects${refused === 0 ? '' : `, ${refused} refused`}`;
    const text = cut(plainText(`provider ${name}: ${state}, ${objects}${age}${because}`), width);
    return state === 'current' && refused === 0 ? text : paints.yellow(text);
  });
}

/** One of each; none for a Fairlead of an earlier version. */
function registrationLines(live: LiveReply, width: number, paints: Paints): string[] {
  const { registrations = [] } = live as Partial<LiveReply>;
  return registrations.map(({ id, service, subject, state, ageSeconds, cause }) => {
    const age = ageSeconds === null ? '' : `, confirmed ${ageWords(ageSeconds)} ago`;
    const because = cause === '' ? '' : `: ${cause}`;
    const text = `registration ${id} of service ${service} at ${subject}: ${state}${age}${because}`;
    const line = cut(plainText(text), width);
    return state === 'current' ? line : paints.yellow(line);
  });
}

function rowsOf(upstream: Upstream, live: LiveReply, options: StatusTextOptions, paints: Paints): Row[] {
  const { isTroubleOnly, filter = '', sort = 'name' } = options;
  const isShown = (endpoint: Endpoint): boolean =>
    (!isTroubleOnly || isInTrouble(endpoint)) && hasText(upstream, endpoint, filter);
  const endpoints = upstream.endpoints.filter(isShown);
  if (endpoints.length === 0 && (isTroubleOnly || filter !== '')) return [];
  const up = upstream.endpoints.filter(({ availability }) => availability === 'up').length;
  const state = `${up}/${upstream.endpoints.length} up`;
  const load = [String(upstream.inFlight), String(upstream.queued)];
  const own = ['', '', ...protocolCells(upstream), ...load, ...figures(upstream), '', ''];
  const cells = [plainText(`${upstream.name} (${upstream.balance})`), state, ...own];
  const sorted = sort === 'name' ? endpoints : endpoints.toSorted((a, b) => rankOf(b, sort) - rankOf(a, sort));
  return [
    { cells, note: '', paint: paints.bold, key: null },
    ...sorted.map((endpoint) => rowOf(upstream, endpoint, live, paints)),
  ];
}

function hasText({ name: upstream }: Upstream, { name, availability }: Endpoint, filter: string): boolean {
  return filter === '' || `${upstream}/${name} ${availability}`.toLowerCase().includes(filter.toLowerCase());
}

/** Higher ones first. */
function rankOf(endpoint: Endpoint, sort: Exclude<Sort, 'name'>): number {
  const { availability, inFlight, requestsPerSecond, errorShare, p99Ms } = endpoint;
  if (sort === 'state')
    return availability === 'up' ? 0 : availability === 'down' || availability === 'ejected' ? 2 : 1;
  const figure = { inflight: inFlight, 'req/s': requestsPerSecond, errors: errorShare, p99: p99Ms }[sort];
  return figure ?? -1;
}

function rowOf(upstream: Upstream, endpoint: Endpoint, live: LiveReply, paints: Paints): Row {
  const { name, availability, inFlight, queued, cause, backup } = endpoint;
  const forSeconds = (Date.parse(live.at) - Date.parse(endpoint.since)) / 1000;
  const cells = [
    plainText(`  ${name}${backup ? ' (backup)' : ''}`),
    availability,
    ageWords(forSeconds),
    weightWords(endpoint),
    ...(upstream.protocol === 'tcp' ? ['tcp', String(endpoint.connections), '-'] : endpointProtocolCells(endpoint)),
    String(inFlight),
    String(queued),
    ...figures(endpoint),
    plainText(endpoint.zone || '-'),
    plainText(endpoint.origin ?? ''),
  ];
  const note = availability === 'up' ? '' : plainText(cause);
  return { cells, note, paint: paintOf(availability, paints), key: `${upstream.name}/${name}` };
}

/** `3`, or `3 x 40 %` while it carries a share of it; `*` marks a weight set by an operator. */
function weightWords({ weight, configuredWeight, weightShare }: Endpoint): string {
  const share = weightShare === 1 ? '' : ` x ${Math.round(weightShare * 100)} %`;
  return `${weight}${weight === configuredWeight ? '' : '*'}${share}`;
}

/** Protocol as configured, connections, and streams; blank for a Fairlead of an earlier version. */
function protocolCells({ protocol, endpoints }: Upstream): string[] {
  if (protocol === undefined) return ['', '', ''];
  const sum = (read: (endpoint: Endpoint) => number) => endpoints.reduce((total, one) => total + read(one), 0);
  const streams = protocol === 'http1' || protocol === 'tcp' ? '-' : String(sum((one) => one.streams));
  return [protocol, String(sum((one) => one.connections)), streams];
}

/** The protocol of the open connections: with `auto`, endpoints may differ. */
function endpointProtocolCells({ connections, http2Connections, streams }: Endpoint): string[] {
  if (connections === undefined) return ['', '', ''];
  const isHttp2 = http2Connections > 0;
  const isMixed = isHttp2 && connections > http2Connections;
  const protocol = connections === 0 ? '' : isMixed ? 'mixed' : isHttp2 ? 'http2' : 'http1';
  return [protocol, String(connections), isHttp2 ? String(streams) : '-'];
}

function figures({ requestsPerSecond, errorShare, p50Ms, p99Ms }: Upstream | Endpoint): string[] {
  return [
    requestsPerSecond === null ? '-' : String(Number(requestsPerSecond.toFixed(requestsPerSecond < 10 ? 1 : 0))),
    errorShare === null ? '-' : percentWords(errorShare),
    milliseconds(p50Ms),
    milliseconds(p99Ms),
  ];
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}

/** The two largest units: `3d 4h`, `12min 5s`. @param seconds not negative */
export function ageWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** Whether there is something to show in the columns of origins; false for a Fairlead of an earlier version. */
function isElsewhere({ zone, origin }: Endpoint): boolean {
  return (zone ?? '') !== '' || (origin ?? 'configured') !== 'configured';
}

function isInTrouble({ availability, weightShare }: Endpoint): boolean {
  return availability !== 'up' || weightShare < 1;
}
