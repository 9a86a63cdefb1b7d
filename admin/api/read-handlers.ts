// Read-only handlers: health of the process, metrics, status, events, configuration. Thread: main.

import { preferredType } from '../../core/accept-types.ts';
import { AdminError, type AdminReply, type AdminStream, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import { findEndpoint, noEndpoint, noUpstream } from './change-handlers.ts';
import { explanationOf } from './endpoint-facts.ts';
import { configTag } from './entity-tag.ts';
import { MAX_EVENTS } from './event-feed.ts';
import { STREAM_KINDS, type StreamKind } from './event-streams.ts';
import { ExplainError } from './explain-schemas.ts';
import { isoOf } from './iso-time.ts';
import { METRIC_SCOPES, type MetricScope } from '../metrics/metric-family.ts';
import { notReadyBecause } from './readiness.ts';
import type { ConfigReply } from './reply-schemas.ts';

export function replyAlive(): AdminReply {
  return jsonReply({ alive: true });
}

export function replyReady(_request: AdminRequest, { context }: AdminParts): AdminReply {
  const because = notReadyBecause(context);
  return because.length === 0 ? jsonReply({ ready: true }) : jsonReply({ ready: false, because }, 503);
}

/** In OpenMetrics for a scraper that prefers it, as Prometheus does. */
export async function sendMetrics({ query, accept }: AdminRequest, { metrics }: AdminParts): Promise<AdminReply> {
  const scopes = chosen(query, 'scope', METRIC_SCOPES) as ReadonlySet<MetricScope>;
  const isOpen = preferredType(accept, ['text/plain', 'application/openmetrics-text']) === 1;
  const format = isOpen ? 'openMetrics' : 'text';
  const body = await metrics.text(scopes, format);
  return { status: 200, contentType: metrics.contentTypes[format], body, fields: { Vary: 'Accept' } };
}

/** Values of a repeatable parameter; all known values without it. @throws AdminError 400 */
function chosen(query: URLSearchParams, name: string, known: readonly string[]): ReadonlySet<string> {
  const asked = query.getAll(name);
  const unknown = asked.find((one) => !known.includes(one));
  if (unknown !== undefined) throw new AdminError(400, `unknown-${name}`, `${name} is one of ${known.join(', ')}`);
  return new Set(asked.length === 0 ? known : asked);
}

export function sendVersion(_request: AdminRequest, { context }: AdminParts): AdminReply {
  const { version, startedAt } = context;
  const node = process.versions.node;
  return jsonReply({ name: 'fairlead', version, node, api: 'v1', startedAt: isoOf(startedAt), pid: process.pid });
}

export function sendCaller({ who, role }: AdminRequest): AdminReply {
  return jsonReply({ who, role });
}

export function sendStatus(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply(status.status());
}

export function sendUpstreams(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply({ upstreams: status.upstreams() });
}

export function sendUpstream({ params }: AdminRequest, parts: AdminParts): AdminReply {
  const upstream = parts.status.upstream(params['upstream']!);
  if (upstream === null) throw noUpstream(params['upstream']!, parts);
  return jsonReply(upstream);
}

export function sendProviders(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply({ providers: status.providers() });
}

export function sendEndpoint({ params }: AdminRequest, parts: AdminParts): AdminReply {
  const { reply, tag } = findEndpoint(params, parts);
  return jsonReply(reply, 200, { ETag: tag });
}

export function sendWhy({ params }: AdminRequest, parts: AdminParts): AdminReply {
  const { context } = parts;
  const explanation = context.health.explain(params['upstream']!, params['endpoint']!);
  if (explanation === null) throw noEndpoint(params, parts);
  const upstreamOrigin = context.providers.origins?.upstreams[explanation.upstream] ?? null;
  return jsonReply({ ...explanationOf(explanation), upstreamOrigin });
}

/** Returns a list, or a stream if the client requests one. */
export function sendEvents(request: AdminRequest, { feed, streams }: AdminParts): AdminReply | AdminStream {
  const { query } = request;
  const limit = Number(query.get('limit') ?? MAX_EVENTS);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_EVENTS) {
    throw new AdminError(400, 'bad-value', `limit must be a whole number from 1 to ${MAX_EVENTS}`);
  }
  const kinds = chosen(query, 'kind', STREAM_KINDS) as ReadonlySet<StreamKind>;
  if (request.wantsStream) return streams.open(kinds, request.lastEventId);
  const events = feed.list().filter(({ kind }) => kinds.has(kind));
  return jsonReply({ events: events.slice(-limit) });
}

/** @throws AdminError 400 for a request that cannot exist */
export function sendExplanation({ query }: AdminRequest, { context }: AdminParts): AdminReply {
  const url = query.get('url');
  if (url === null) throw new AdminError(400, 'missing-key', 'the parameter url is missing: ?url=http://host/path');
  const [method, client, listener] = [query.get('method'), query.get('client'), query.get('listener')];
  const asked = {
    url,
    method: method ?? 'GET',
    headers: query.getAll('header'),
    client: client ?? '127.0.0.1',
    listener,
    alpn: query.getAll('alpn'),
  };
  try {
    return jsonReply(context.explain(asked));
  } catch (error) {
    if (error instanceof ExplainError) throw new AdminError(400, 'bad-value', error.message);
    throw error;
  }
}

export function sendConfig(_request: AdminRequest, parts: AdminParts): AdminReply {
  const { context } = parts;
  const { revision } = context.snapshot();
  const written = context.writtenConfig();
  const reply: ConfigReply = {
    generation: revision,
    file: written?.file ?? null,
    config: written?.config() ?? null,
    origins: context.providers.origins,
    generations: parts.status.generations(),
  };
  return jsonReply(reply, 200, { ETag: configTag(revision) });
}
