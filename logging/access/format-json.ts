// The JSON access log: one object a line. Thread: both.
//
// Built by concatenation: pino costs four times as much (docs/decisions/0004-access-log.md).

import type { ExchangePhases, ExchangeRecord } from '../../core/exchange-record.ts';
import type { RequestHead } from '../../core/head.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { TERMINATIONS } from '../../core/termination.ts';
import { cutTo, jsonString, MAX_TARGET, MAX_TEXT, MAX_WORD, needsJsonEscape } from './log-escape.ts';
import { decimalMs, isoTime } from './log-time.ts';
import { defineLogFormat, type FormatRecord } from './format-descriptor.ts';
import { capturesOf, compileFields, fieldOptions, fieldReader, type LogField } from './log-fields.ts';
import type { LogValue } from './log-sources.ts';

/**
 * Formats an exchange as one line of JSON in ASCII, with its line feed. Unknown values are null, phases that were not
 * reached are -1, a status that was not sent is 0.
 */
function formatJson(record: ExchangeRecord): string {
  const { connection, head, routeName } = record;
  const agent = head?.field('user-agent');
  const referer = head?.field('referer');
  const request = head === null ? '' : head.method + head.authority + head.target + head.version;
  const peer = record.clientAddress + connection.peerAddress + connection.listenerName;
  // One test of all texts costs less than one of each: nearly always there is nothing to escape.
  const isClean = !needsJsonEscape(`${record.requestId}${peer}${routeName}${request}${agent}${referer}`);
  const write: Writer = isClean ? cutTo : escapedTo;
  return (
    `{"time":"${isoTime(record.beganWallMs)}","requestId":"${write(MAX_WORD, record.requestId)}",` +
    `"client":"${write(MAX_WORD, record.clientAddress)}","peer":"${write(MAX_WORD, connection.peerAddress)}",` +
    `"peerPort":${connection.peerPort},"listener":"${write(MAX_TEXT, connection.listenerName)}",` +
    (connection.isTls ? '"tls":true,' : '"tls":false,') +
    (head === null ? noRequestPart(record) : requestPart(head, write)) +
    `"status":${record.status},"bytesReceived":${record.bytesReceived},"bytesSent":${record.bytesSent},` +
    (routeName === '' ? '"route":null,' : `"route":"${write(MAX_TEXT, routeName)}",`) +
    (record.upstream === null ? '"upstream":null,' : upstreamPart(record.upstream)) +
    (record.endpoint === null ? '"endpoint":null,' : endpointPart(record.endpoint)) +
    TERMINATION_PARTS[record.termination]! +
    phasesPart(record.phases) +
    attemptsPart(record) +
    (agent === undefined ? '"userAgent":null,' : `"userAgent":"${write(MAX_TEXT, agent)}",`) +
    (referer === undefined ? '"referer":null}\n' : `"referer":"${write(MAX_TEXT, referer)}"}\n`)
  );
}

/** Returns the content of a JSON string: at most `max` characters of the text. */
type Writer = (max: number, text: string) => string;

function escapedTo(max: number, text: string): string {
  return jsonString(cutTo(max, text)).slice(1, -1);
}

const NO_REQUEST = '"method":null,"host":null,"target":null,"version":null,';

/** A TCP session has its protocol and the server name of its client in place of a request. */
function noRequestPart({ connection, isSession }: ExchangeRecord): string {
  if (isSession !== true) return NO_REQUEST;
  const { serverName } = connection;
  const name = serverName === '' ? 'null' : `"${escapedTo(MAX_TEXT, serverName)}"`;
  return `${NO_REQUEST}"protocol":"tcp","serverName":${name},`;
}

function requestPart(head: RequestHead, write: Writer): string {
  return (
    `"method":"${write(MAX_WORD, head.method)}","host":"${write(MAX_TEXT, head.authority)}",` +
    `"target":"${write(MAX_TARGET, head.target)}","version":"${write(MAX_WORD, head.version)}",`
  );
}

/** Cached parts for names of the configuration, each as long as its Snapshot exists. */
const upstreamParts = new WeakMap<UpstreamSnapshot, string>();
const endpointParts = new WeakMap<EndpointSnapshot, string>();

function upstreamPart(upstream: UpstreamSnapshot): string {
  const known = upstreamParts.get(upstream);
  if (known !== undefined) return known;
  const part = `"upstream":${jsonString(upstream.name)},`;
  upstreamParts.set(upstream, part);
  return part;
}

function endpointPart(endpoint: EndpointSnapshot): string {
  const known = endpointParts.get(endpoint);
  if (known !== undefined) return known;
  const part = `"endpoint":${jsonString(endpoint.id)},`;
  endpointParts.set(endpoint, part);
  return part;
}

const TERMINATION_PARTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(TERMINATIONS).map(([name, { letters }]) => [name, `"termination":"${name}","letters":"${letters}",`]),
);

function phasesPart(phases: ExchangePhases): string {
  return (
    `"requestMs":${decimalMs(phases.requestMs)},"queueMs":${decimalMs(phases.queueMs)},` +
    `"connectMs":${decimalMs(phases.connectMs)},"responseMs":${decimalMs(phases.responseMs)},` +
    `"totalMs":${decimalMs(phases.totalMs)},`
  );
}

/** Part of nearly all exchanges: one attempt, no failure. */
const ONE_ATTEMPT = '"attempts":1,"redispatched":false,"retry":"none","failure":null,"upgraded":false,';

function attemptsPart(record: ExchangeRecord): string {
  const { attempts, wasRedispatched, retryVerdict, failureKind, wasUpgraded } = record;
  if (attempts === 1 && retryVerdict === 'none' && failureKind === null && !wasUpgraded && !wasRedispatched) {
    return ONE_ATTEMPT;
  }
  const failure = failureKind === null ? 'null' : `"${failureKind}"${reasonPart(record)}`;
  const how = `"redispatched":${wasRedispatched},"retry":"${retryVerdict}","failure":${failure}`;
  return `"attempts":${attempts},${how},"upgraded":${wasUpgraded},`;
}

/** The rule that a malformed response broke, and the field. */
function reasonPart({ failureReason }: ExchangeRecord): string {
  if (failureReason === undefined || failureReason === null) return '';
  return `,"failureReason":${jsonString(cutTo(MAX_TEXT, failureReason))}`;
}

function buildChosen(fields: readonly LogField[]): FormatRecord {
  const parts = fields.map((field, at) => {
    return { start: `${at === 0 ? '{' : ','}${jsonString(field.key)}:`, read: fieldReader(field) };
  });
  return (record) => {
    let line = '';
    for (const { start, read } of parts) line += start + jsonValue(read(record));
    return `${line}}\n`;
  };
}

function jsonValue(value: LogValue): string {
  return typeof value === 'string' ? jsonString(cutTo(MAX_TARGET, value)) : String(value);
}

export const json = defineLogFormat({
  name: 'json',
  options: fieldOptions,
  compile: ({ fields, redact }) => ({ fields: compileFields(fields, redact) }),
  captures: ({ fields }) => capturesOf(fields),
  build: ({ fields }) => (fields ? buildChosen(fields) : formatJson),
});
