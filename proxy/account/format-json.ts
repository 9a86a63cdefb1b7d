// The JSON access log: one object a line. Thread: worker.
//
// Built by hand and not by pino, which costs five times as much (docs/decisions, access log).

import type { ExchangePhases, ExchangeRecord } from '../../core/exchange-record.ts';
import type { RequestHead } from '../../core/head.ts';
import type { EndpointSnapshot, UpstreamSnapshot } from '../../core/snapshot.ts';
import { TERMINATIONS } from '../../core/termination.ts';
import { cutTo, jsonString, MAX_TARGET, MAX_TEXT, MAX_WORD, needsJsonEscape } from './log-escape.ts';
import { decimalMs, isoTime } from './log-time.ts';

/**
 * Writes an exchange as one line of JSON in ASCII, with its line feed. What was not known is null, a phase that was
 * not reached is -1, a status that was not sent is 0.
 */
export function formatJson(record: ExchangeRecord): string {
  const { connection, head } = record;
  // Each is read once: a head may make its strings anew at every look.
  const method = head === null ? null : head.method;
  const host = head === null ? null : head.authority;
  const target = head === null ? null : head.target;
  const version = head === null ? null : head.version;
  const agent = fieldOf(head, 'user-agent');
  const referer = fieldOf(head, 'referer');
  // One look at all text in a row costs less than one look at each: nearly always there is nothing to escape.
  const request = `${method}${host}${target}${version}${agent}${referer}`;
  const texts = record.requestId + record.clientAddress + connection.peerAddress + request;
  const quote = needsJsonEscape(texts) ? quoteEscaped : quotePlain;
  return (
    `{"time":"${isoTime(record.beganWallMs)}","requestId":${quote(record.requestId, MAX_WORD)},` +
    `"client":${quote(record.clientAddress, MAX_WORD)},` +
    `"peer":${quote(connection.peerAddress, MAX_WORD)},"peerPort":${connection.peerPort},` +
    `"listener":${jsonString(connection.listenerName)},"tls":${connection.isTls ? 'true' : 'false'},` +
    `"method":${quote(method, MAX_WORD)},"host":${quote(host, MAX_TEXT)},` +
    `"target":${quote(target, MAX_TARGET)},"version":${quote(version, MAX_WORD)},` +
    `"status":${record.status},"bytesReceived":${record.bytesReceived},"bytesSent":${record.bytesSent},` +
    placePart(record) +
    TERMINATION_PARTS[record.termination]! +
    phasesPart(record.phases) +
    attemptsPart(record) +
    `"userAgent":${quote(agent, MAX_TEXT)},"referer":${quote(referer, MAX_TEXT)}}\n`
  );
}

/** A JSON string of at most `max` characters of the text, or null where there is none. */
function quotePlain(text: string | null, max: number): string {
  return text === null ? 'null' : `"${cutTo(max, text)}"`;
}

function quoteEscaped(text: string | null, max: number): string {
  return text === null ? 'null' : jsonString(cutTo(max, text));
}

function fieldOf(head: RequestHead | null, name: string): string | null {
  return head?.field(name) ?? null;
}

/** Parts of what configuration named, each for as long as its Snapshot lives. */
const upstreamParts = new WeakMap<UpstreamSnapshot, string>();
const endpointParts = new WeakMap<EndpointSnapshot, string>();

function placePart({ routeName, upstream, endpoint }: ExchangeRecord): string {
  const route = routeName === '' ? 'null' : jsonString(routeName);
  const upstreamPart = upstream === null ? '"upstream":null,' : upstreamPartOf(upstream);
  return `"route":${route},${upstreamPart}${endpoint === null ? '"endpoint":null,' : endpointPartOf(endpoint)}`;
}

function upstreamPartOf(upstream: UpstreamSnapshot): string {
  const known = upstreamParts.get(upstream);
  if (known !== undefined) return known;
  const part = `"upstream":${jsonString(upstream.name)},`;
  upstreamParts.set(upstream, part);
  return part;
}

function endpointPartOf(endpoint: EndpointSnapshot): string {
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

/** What nearly all exchanges have: one attempt, nothing failed. */
const ONE_ATTEMPT = '"attempts":1,"redispatched":false,"retry":"none","failure":null,"upgraded":false,';

function attemptsPart(record: ExchangeRecord): string {
  const { attempts, wasRedispatched, retryVerdict, failureKind, wasUpgraded } = record;
  if (attempts === 1 && retryVerdict === 'none' && failureKind === null && !wasUpgraded && !wasRedispatched) {
    return ONE_ATTEMPT;
  }
  const failure = failureKind === null ? 'null' : `"${failureKind}"`;
  const how = `"redispatched":${wasRedispatched},"retry":"${retryVerdict}","failure":${failure}`;
  return `"attempts":${attempts},${how},"upgraded":${wasUpgraded},`;
}
