// Renders the complete state as a table for a terminal, for `status` and `top`. Pure. Thread: main.

import type { LiveReply } from '../../../admin/api/reply-schemas.ts';
import { percentWords } from '../../../health/record/health-words.ts';
import { plainText } from '../explain/why-text.ts';

type Upstream = LiveReply['upstreams'][number];
type Endpoint = Upstream['endpoints'][number];

export interface StatusTextOptions {
  /** Columns of the terminal; longer lines are truncated. */
  readonly width: number;
  readonly hasColor: boolean;
  /** Whether healthy upstreams and endpoints are left out. */
  readonly isTroubleOnly: boolean;
}

type Paint = (text: string) => string;

interface Row {
  readonly cells: readonly string[];
  readonly paint: Paint;
}

const HEADER = [
  'ENDPOINT',
  'STATE',
  'FOR',
  'WEIGHT',
  'PROTO',
  'CONNS',
  'STREAMS',
  'INFLIGHT',
  'QUEUED',
  'REQ/S',
  'ERRORS',
  'P50',
  'P99',
  'CAUSE',
];
/** Left-aligned columns; the others are numbers. */
const LEFT_ALIGNED = new Set([0, 1, 4, 13]);

/** First line: the process; then a table. Without line breaks. */
export function statusLines(live: LiveReply, options: StatusTextOptions): string[] {
  const paints = paintsFor(options.hasColor);
  const rows = live.upstreams.flatMap((upstream) => rowsOf(upstream, live, options, paints));
  const table: Row[] = [{ cells: HEADER, paint: paints.dim }, ...rows];
  const widths = HEADER.map((_title, column) => Math.max(...table.map(({ cells }) => cells[column]!.length)));
  const lines = table.map(({ cells, paint }) => paint(cut(lineOf(cells, widths), options.width)));
  const nothing = options.isTroubleOnly && rows.length === 0 ? ['everything is up'] : lines;
  return [...headLines(live, options.width, paints), ...nothing];
}

function headLines(live: LiveReply, width: number, paints: Paints): string[] {
  const { generation, uptimeSeconds, exchanges, connections, workers } = live;
  const listening = workers.filter(({ state }) => state === 'listening').length;
  const state = live.ready ? 'ready' : `NOT READY: ${live.notReadyBecause.join('; ')}`;
  const counts = `${exchanges} requests in progress, ${connections} connections${http2Words(live)}`;
  const run = `revision ${generation}, ${listening} of ${workers.length} workers, up ${ageWords(uptimeSeconds)}`;
  const first = cut(plainText(`Fairlead: ${state}`), width);
  return [
    live.ready ? first : paints.red(first),
    cut(`${counts}; ${run}`, width),
    maintenanceLine(live, width, paints),
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

function rowsOf(upstream: Upstream, live: LiveReply, options: StatusTextOptions, paints: Paints): Row[] {
  const endpoints = options.isTroubleOnly ? upstream.endpoints.filter(isInTrouble) : upstream.endpoints;
  if (options.isTroubleOnly && endpoints.length === 0) return [];
  const up = upstream.endpoints.filter(({ availability }) => availability === 'up').length;
  const state = `${up}/${upstream.endpoints.length} up`;
  const own = [
    '',
    '',
    ...protocolCells(upstream),
    String(upstream.inFlight),
    String(upstream.queued),
    ...figures(upstream),
    '',
  ];
  const title = { cells: [plainText(`${upstream.name} (${upstream.balance})`), state, ...own], paint: paints.bold };
  return [title, ...endpoints.map((endpoint) => rowOf(endpoint, live, paints))];
}

function rowOf(endpoint: Endpoint, live: LiveReply, paints: Paints): Row {
  const { name, availability, inFlight, queued, cause, backup } = endpoint;
  const forSeconds = (Date.parse(live.at) - Date.parse(endpoint.since)) / 1000;
  const cells = [
    plainText(`  ${name}${backup ? ' (backup)' : ''}`),
    availability,
    ageWords(forSeconds),
    weightWords(endpoint),
    ...endpointProtocolCells(endpoint),
    String(inFlight),
    String(queued),
    ...figures(endpoint),
    availability === 'up' ? '' : plainText(cause),
  ];
  return { cells, paint: paintOf(availability, paints) };
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
  const streams = protocol === 'http1' ? '-' : String(sum((one) => one.streams));
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

function milliseconds(ms: number | null): string {
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

function isInTrouble({ availability, weightShare }: Endpoint): boolean {
  return availability !== 'up' || weightShare < 1;
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, column) =>
    LEFT_ALIGNED.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
  );
  return aligned.join('  ').trimEnd();
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

interface Paints {
  readonly red: Paint;
  readonly yellow: Paint;
  readonly dim: Paint;
  readonly bold: Paint;
  readonly none: Paint;
}

/** ANSI colours. A state in red or yellow is also named in its row. */
function paintsFor(hasColor: boolean): Paints {
  const paint =
    (code: number): Paint =>
    (text) =>
      hasColor ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { red: paint(31), yellow: paint(33), dim: paint(2), bold: paint(1), none: (text) => text };
}

function paintOf(availability: Endpoint['availability'], paints: Paints): Paint {
  if (availability === 'up') return paints.none;
  return availability === 'down' || availability === 'ejected' || availability === 'unresolved'
    ? paints.red
    : paints.yellow;
}
