// The trace of one request: its ids and attempts, and the spans that they become when it has ended. Thread: worker.

import { isIP } from 'node:net';
import type { ExchangeRecord } from '../../../core/exchange-record.ts';
import type { RequestHead } from '../../../core/head.ts';
import { TERMINATIONS } from '../../../core/termination.ts';
import { bareHost, splitHostPort } from '../../../net/host-port.ts';
import type { AttemptTimes } from './attempt-times.ts';
import { boolAttribute, intAttribute, type Span, SPAN_KIND, spanJson, textAttribute } from './span-json.ts';

/** Methods that `http.request.method` may have (OpenTelemetry semantic conventions, HTTP spans). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const OTHER_METHOD = '_OTHER';

export interface TraceIdentity {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a new trace. */
  readonly parentId: string;
  /** Value of `tracestate`; '' for none. */
  readonly state: string;
}

export class RequestTrace {
  readonly identity: TraceIdentity;
  readonly attempts: AttemptTimes[] = [];
  readonly #offsetMs: number;

  /** @param offsetMs converts monotonic ms to ms since 1970; one for all spans, whatever happens to the wall clock */
  constructor(identity: TraceIdentity, offsetMs: number) {
    this.identity = identity;
    this.#offsetMs = offsetMs;
  }

  /** The spans of the ended request. @param newSpanId makes the ids of steps */
  spans(record: ExchangeRecord, newSpanId: () => string): string[] {
    const { traceId } = this.identity;
    const { phases, beganWallMs } = record;
    const offsetMs = this.#offsetMs;
    const endMs = beganWallMs + phases.totalMs - offsetMs;
    const spans = [this.#serverSpan(record, beganWallMs, beganWallMs + phases.totalMs)];
    const step = (name: string, parentId: string, startMs: number, stepEndMs: number): void => {
      if (stepEndMs <= startMs) return;
      const times = { startMs: startMs + offsetMs, endMs: stepEndMs + offsetMs };
      const span = { traceId, spanId: newSpanId(), parentId, name, kind: SPAN_KIND.internal, ...times };
      spans.push(spanJson({ ...span, attributes: [], error: null }));
    };
    const placedMs = this.attempts[0]?.beganMs ?? endMs;
    if (phases.queueMs > 0) step('queue', this.identity.spanId, placedMs - phases.queueMs, placedMs);
    for (const [number, attempt] of this.attempts.entries()) {
      attempt.ended(endMs);
      spans.push(spanJson(this.#attemptSpan(attempt, number, offsetMs)));
      for (const [name, from, to] of stepsOf(attempt)) step(name, attempt.spanId, from, to);
    }
    return spans;
  }

  #serverSpan(record: ExchangeRecord, startMs: number, endMs: number): string {
    const { head, routeName } = record;
    const method = head === null ? 'HTTP' : spanMethod(head);
    const name = routeName === '' ? method : `${method} ${routeName}`;
    const outcome = { attributes: serverAttributes(record), error: errorOf(record) };
    return spanJson({ ...this.identity, name, kind: SPAN_KIND.server, startMs, endMs, ...outcome });
  }

  #attemptSpan(attempt: AttemptTimes, number: number, offsetMs: number): Span {
    const { beganMs, endedMs, spanId, request } = attempt;
    const { traceId, spanId: parentId } = this.identity;
    const times = { startMs: beganMs + offsetMs, endMs: endedMs + offsetMs };
    const isError = attempt.failure !== '' || attempt.status >= 400;
    return {
      traceId,
      spanId,
      parentId,
      ...times,
      name: spanMethod(request.head),
      kind: SPAN_KIND.client,
      attributes: attemptAttributes(attempt, number),
      error: isError ? attempt.failure : null,
    };
  }
}

/** The steps of an attempt that took time: names, and monotonic ms of begin and end. */
function stepsOf(attempt: AttemptTimes): (readonly [name: string, from: number, to: number])[] {
  const { dial, dialledMs, leasedMs, headMs, endedMs } = attempt;
  const steps: (readonly [string, number, number])[] = [];
  if (dial !== null) {
    const secureMs = dialledMs - dial.tlsMs;
    steps.push(['connect', secureMs - dial.connectMs, secureMs]);
    if (dial.tlsMs > 0) steps.push(['tls handshake', secureMs, dialledMs]);
  }
  if (leasedMs > 0) steps.push(['response head', leasedMs, headMs || endedMs]);
  if (headMs > 0) steps.push(['response body', headMs, endedMs]);
  return steps;
}

function serverAttributes(record: ExchangeRecord): string[] {
  const { connection, head, status, routeName, upstream, attempts, retryVerdict } = record;
  const attributes = [
    textAttribute('url.scheme', connection.isTls ? 'https' : 'http'),
    textAttribute('network.protocol.name', 'http'),
    textAttribute('fairlead.request_id', record.requestId),
    textAttribute('fairlead.listener', connection.listenerName),
    textAttribute('fairlead.termination', record.termination),
    intAttribute('http.request.body.size', record.bytesReceived),
    intAttribute('http.response.body.size', record.bytesSent),
  ];
  if (head !== null) attributes.push(...headAttributes(head));
  if (connection.peerAddress !== '') {
    attributes.push(textAttribute('client.address', record.clientAddress));
    attributes.push(textAttribute('network.peer.address', connection.peerAddress));
    attributes.push(intAttribute('network.peer.port', connection.peerPort));
  }
  if (connection.isTls)
    attributes.push(textAttribute('tls.protocol.version', connection.tlsVersion.slice('TLSv'.length)));
  if (routeName !== '') attributes.push(textAttribute('fairlead.route', routeName));
  if (upstream !== null) attributes.push(textAttribute('fairlead.upstream', upstream.name));
  if (status > 0) attributes.push(intAttribute('http.response.status_code', status));
  if (attempts > 1) attributes.push(textAttribute('fairlead.retry', retryVerdict));
  const error = errorTypeOf(record);
  if (error !== '') attributes.push(textAttribute('error.type', error));
  return attributes;
}

/** The query is left out: it may contain credentials, such as signatures of links. */
function headAttributes(head: RequestHead): string[] {
  const query = head.target.indexOf('?');
  const attributes = [
    ...methodAttributes(head),
    textAttribute('url.path', query < 0 ? head.target : head.target.slice(0, query)),
    textAttribute('network.protocol.version', head.version === '2.0' ? '2' : head.version),
  ];
  const named = splitHostPort(head.authority);
  if (named !== null && named.host !== '') attributes.push(textAttribute('server.address', named.host));
  if (named !== null && Number(named.port) > 0) attributes.push(intAttribute('server.port', Number(named.port)));
  const agent = head.field('user-agent');
  if (agent !== undefined) attributes.push(textAttribute('user_agent.original', agent));
  return attributes;
}

function attemptAttributes(attempt: AttemptTimes, number: number): string[] {
  const { request, handle, status, failure } = attempt;
  const { endpoint, upstream, head } = request;
  const host = bareHost(endpoint.host);
  const attributes = [
    ...methodAttributes(head),
    textAttribute('url.full', urlOf(attempt)),
    textAttribute('server.address', endpoint.socketPath === '' ? host : endpoint.socketPath),
    textAttribute('fairlead.upstream', upstream.name),
    textAttribute('fairlead.endpoint', endpoint.id),
  ];
  if (endpoint.socketPath === '') attributes.push(intAttribute('server.port', endpoint.port));
  if (endpoint.socketPath === '' && isIP(host) !== 0) {
    attributes.push(textAttribute('network.peer.address', host), intAttribute('network.peer.port', endpoint.port));
  }
  if (attempt.leasedMs > 0) {
    attributes.push(textAttribute('network.protocol.version', handle?.protocol === 'http2' ? '2' : '1.1'));
    attributes.push(boolAttribute('fairlead.connection.reused', attempt.isReused));
  }
  if (number > 0) attributes.push(intAttribute('http.request.resend_count', number));
  if (status > 0) attributes.push(intAttribute('http.response.status_code', status));
  if (failure !== '') attributes.push(textAttribute('error.type', failure));
  else if (status >= 400) attributes.push(textAttribute('error.type', `${status}`));
  if (attempt.isCancelled) attributes.push(boolAttribute('fairlead.attempt.cancelled', true));
  return attributes;
}

/** The URL that the endpoint gets, without its query. */
function urlOf({ request: { endpoint, head, target } }: AttemptTimes): string {
  const path = (target ?? head.target).replace(/\?.*$/s, '');
  const scheme = endpoint.protocol === 'https' ? 'https' : 'http';
  return `${scheme}://${endpoint.socketPath === '' ? endpoint.id : 'localhost'}${path}`;
}

/** A method that isn't known could be anything, and would be a name of its own in every tool. */
function methodAttributes({ method }: RequestHead): string[] {
  if (METHODS.has(method)) return [textAttribute('http.request.method', method)];
  return [textAttribute('http.request.method', OTHER_METHOD), textAttribute('http.request.method_original', method)];
}

function spanMethod({ method }: RequestHead): string {
  return METHODS.has(method) ? method : 'HTTP';
}

/** A client that leaves is no error of the server. */
function errorTypeOf({ status, termination }: ExchangeRecord): string {
  if (status >= 500) return `${status}`;
  const { letters } = TERMINATIONS[termination];
  const isCut = letters[1] === 'D' && letters[0] !== 'C' && letters[0] !== 'c';
  return isCut || status === 0 ? termination : '';
}

function errorOf(record: ExchangeRecord): string | null {
  return errorTypeOf(record) === '' ? null : TERMINATIONS[record.termination].means;
}
