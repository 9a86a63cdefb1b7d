// The access log in HAProxy's formats, so that its tools keep working: requests as with `option httplog` (manual 8.2.3),
// TCP sessions as with `option tcplog` (8.2.2). Thread: both.
//
// Where Fairlead differs: bytes are those of the body; no cookies and no header fields are captured, so both cookies
// are `-`, the braces are left out as HAProxy does without captures, and the last two termination letters are `--`.

import type { ExchangePhases, ExchangeRecord } from '../../core/exchange-record.ts';
import { TERMINATIONS } from '../../core/termination.ts';
import { cutTo, haproxyBare, haproxyQuoted, MAX_TARGET, MAX_WORD } from './log-escape.ts';
import { haproxyTime, wholeMs } from './log-time.ts';
import { plainFormat } from './format-descriptor.ts';

/**
 * `client:port [date] listener~ upstream/endpoint TR/Tw/Tc/Tr/Ta status bytes - - TSCC ac/fc/bc/sc/rc sq/bq "request"`
 * with its line feed, in ASCII. An absent status or phase is -1.
 */
function formatHaproxy(record: ExchangeRecord): string {
  const { connection, head, status } = record;
  if (head === null && record.isSession === true) return formatSession(record);
  return (
    `${clientOf(record)} [${haproxyTime(record.beganWallMs)}] ` +
    `${haproxyBare(connection.listenerName)}${connection.isTls ? '~' : ''} ${placeOf(record)} ` +
    `${timersOf(record.phases)} ${status === 0 ? -1 : status} ${record.bytesSent} - - ` +
    `${TERMINATIONS[record.termination].letters}-- ${countersOf(record)} ` +
    `${record.endpointQueuePosition}/${record.upstreamQueuePosition} "${requestLineOf(record)}"\n`
  );
}

/** `client:port [date] listener~ upstream/endpoint Tw/Tc/Tt bytes TS ac/fc/bc/sc/rc sq/bq`, with its line feed. */
function formatSession(record: ExchangeRecord): string {
  const { connection, phases } = record;
  return (
    `${clientOf(record)} [${haproxyTime(record.beganWallMs)}] ` +
    `${haproxyBare(connection.listenerName)}${connection.isTls ? '~' : ''} ${placeOf(record)} ` +
    `${wholeMs(phases.queueMs)}/${wholeMs(phases.connectMs)}/${wholeMs(phases.totalMs)} ${record.bytesSent} ` +
    `${TERMINATIONS[record.termination].letters} ${countersOf(record)} ` +
    `${record.endpointQueuePosition}/${record.upstreamQueuePosition}\n`
  );
}

/** `address:port`; a client on a Unix socket has no address and is called `unix` and its listener's number. */
function clientOf({ clientAddress, connection }: ExchangeRecord): string {
  if (clientAddress === '') return `unix:${connection.listenerIndex + 1}`;
  return `${haproxyBare(cutTo(MAX_WORD, clientAddress))}:${connection.peerPort}`;
}

/** Without an upstream HAProxy names the frontend in its place. */
function placeOf({ connection, upstream, endpoint }: ExchangeRecord): string {
  const group = haproxyBare(upstream === null ? connection.listenerName : upstream.name);
  return `${group}/${endpoint === null ? '<NOSRV>' : haproxyBare(endpoint.id)}`;
}

function timersOf(phases: ExchangePhases): string {
  const waits = `${wholeMs(phases.requestMs)}/${wholeMs(phases.queueMs)}/${wholeMs(phases.connectMs)}`;
  return `${waits}/${wholeMs(phases.responseMs)}/${wholeMs(phases.totalMs)}`;
}

/** Open connections of the process (here: the worker), of the listener, of the upstream, of the endpoint; retries. */
function countersOf(record: ExchangeRecord): string {
  const { load } = record;
  const connections = `${load.openConnections}/${load.listenerConnections}`;
  const retries = `${record.wasRedispatched ? '+' : ''}${Math.max(0, record.attempts - 1)}`;
  return `${connections}/${load.upstreamInflight}/${load.endpointInflight}/${retries}`;
}

/** `<BADREQ>` for a request that could not be parsed, as in HAProxy. */
function requestLineOf({ head }: ExchangeRecord): string {
  if (head === null) return '<BADREQ>';
  return haproxyQuoted(`${cutTo(MAX_WORD, head.method)} ${cutTo(MAX_TARGET, head.target)} HTTP/${head.version}`);
}

export const haproxy = plainFormat('haproxy', formatHaproxy);
