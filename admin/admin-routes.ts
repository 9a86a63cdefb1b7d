// The table of what the admin API serves. To add something: one row. Thread: main.

import { ADMIN, type Admin } from '../core/availability.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminContext } from './context.ts';
import { eventOf, explanationOf } from './endpoint-facts.ts';
import { METRIC_SCOPES, type MetricScope } from './metric-family.ts';
import type { Metrics } from './metrics.ts';
import { notReadyBecause } from './readiness.ts';
import { requireKeys } from './request-body.ts';
import type { StatusView } from './status-view.ts';

/** What handlers work with. */
export interface AdminParts {
  readonly context: AdminContext;
  readonly status: StatusView;
  readonly metrics: Metrics;
}

/** A request that passed the guards. */
export interface AdminRequest {
  /** Segments of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** {} for GET. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AdminRoute {
  /** GET routes serve HEAD too. */
  readonly method: 'GET' | 'POST';
  /** `:name` stands for one segment. */
  readonly path: string;
  readonly means: string;
  readonly handle: (request: AdminRequest, parts: AdminParts) => AdminReply | Promise<AdminReply>;
}

/** Whose doing a change was, for log and record. */
const WHO = 'the admin API';
const MAX_EVENTS = 1000;
/** Of a list of what there is, for somebody who asked for what isn't there. */
const MAX_NAMES = 100;

export const ADMIN_ROUTES: readonly AdminRoute[] = [
  { method: 'GET', path: '/healthz', means: 'whether the process lives', handle: sayAlive },
  { method: 'GET', path: '/livez', means: 'the same', handle: sayAlive },
  { method: 'GET', path: '/readyz', means: 'whether it may be sent traffic, else 503 and why', handle: sayReady },
  { method: 'GET', path: '/metrics', means: 'Prometheus metrics; ?scope= chooses', handle: sendMetrics },
  { method: 'GET', path: '/api/v1/status', means: 'the state of everything', handle: sendStatus },
  { method: 'GET', path: '/api/v1/upstreams', means: 'upstreams with their endpoints', handle: sendUpstreams },
  { method: 'GET', path: '/api/v1/endpoints/:upstream/:endpoint', means: 'one endpoint', handle: sendEndpoint },
  {
    method: 'GET',
    path: '/api/v1/endpoints/:upstream/:endpoint/why',
    means: 'why it is in or out: who found out, since when, until when, the last heartbeats and changes',
    handle: sendWhy,
  },
  {
    method: 'POST',
    path: '/api/v1/endpoints/:upstream/:endpoint/state',
    means: '{"admin": "ready" | "drain" | "maintenance"}',
    handle: setState,
  },
  {
    method: 'POST',
    path: '/api/v1/endpoints/:upstream/:endpoint/weight',
    means: '{"weight": 1..256}, until the configured one changes',
    handle: setWeight,
  },
  { method: 'GET', path: '/api/v1/events', means: 'the newest state changes; ?limit=', handle: sendEvents },
  { method: 'POST', path: '/api/v1/reload', means: '{}: load the configuration again', handle: reload },
];

function sayAlive(): AdminReply {
  return jsonReply({ alive: true });
}

function sayReady(_request: AdminRequest, { context }: AdminParts): AdminReply {
  const because = notReadyBecause(context);
  return because.length === 0 ? jsonReply({ ready: true }) : jsonReply({ ready: false, because }, 503);
}

async function sendMetrics({ query }: AdminRequest, { metrics }: AdminParts): Promise<AdminReply> {
  const asked = query.getAll('scope');
  const unknown = asked.find((scope) => !(METRIC_SCOPES as readonly string[]).includes(scope));
  if (unknown !== undefined) {
    throw new AdminError(400, 'unknown-scope', `scopes are ${METRIC_SCOPES.join(', ')}`);
  }
  const scopes = new Set(asked.length === 0 ? METRIC_SCOPES : (asked as MetricScope[]));
  return { status: 200, contentType: metrics.contentType, body: await metrics.text(scopes) };
}

function sendStatus(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply(status.status());
}

function sendUpstreams(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply({ upstreams: status.upstreams() });
}

function sendEndpoint({ params }: AdminRequest, { status }: AdminParts): AdminReply {
  const view = status.endpoint(params['upstream']!, params['endpoint']!);
  if (view === null) throw noEndpoint(params);
  return jsonReply(view);
}

function sendWhy({ params }: AdminRequest, { context }: AdminParts): AdminReply {
  const explanation = context.health.explain(params['upstream']!, params['endpoint']!);
  if (explanation === null) {
    const names = context
      .snapshot()
      .upstreams.flatMap(({ name, endpoints }) => endpoints.map(({ id }) => `${name}/${id}`));
    throw noEndpoint(params, { endpoints: names.slice(0, MAX_NAMES), endpointCount: names.length });
  }
  return jsonReply(explanationOf(explanation));
}

function setState(request: AdminRequest, parts: AdminParts): AdminReply {
  const { params, body } = request;
  requireKeys(body, ['admin']);
  const { admin } = body;
  if (typeof admin !== 'string' || !Object.hasOwn(ADMIN, admin)) {
    throw new AdminError(400, 'bad-value', `admin must be one of ${Object.keys(ADMIN).join(', ')}`);
  }
  const isFound = parts.context.health.setAdmin(params['upstream']!, params['endpoint']!, admin as Admin, WHO);
  if (!isFound) throw noEndpoint(params);
  return sendEndpoint(request, parts);
}

function setWeight(request: AdminRequest, parts: AdminParts): AdminReply {
  const { params, body } = request;
  requireKeys(body, ['weight']);
  const { weight } = body;
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 1 || weight > 256) {
    throw new AdminError(400, 'bad-value', 'weight must be a whole number from 1 to 256');
  }
  if (!parts.context.health.setWeight(params['upstream']!, params['endpoint']!, weight, WHO)) throw noEndpoint(params);
  return sendEndpoint(request, parts);
}

function noEndpoint({ upstream, endpoint }: Readonly<Record<string, string>>, details = {}): AdminError {
  const message = `there is no endpoint ${endpoint} in an upstream ${upstream}`;
  return new AdminError(404, 'no-such-endpoint', message, { details });
}

function sendEvents({ query }: AdminRequest, { context }: AdminParts): AdminReply {
  const limit = Number(query.get('limit') ?? MAX_EVENTS);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_EVENTS) {
    throw new AdminError(400, 'bad-value', `limit must be a whole number from 1 to ${MAX_EVENTS}`);
  }
  const events = context.health.events.list().slice(-limit);
  return jsonReply({ events: events.map(eventOf) });
}

async function reload({ body }: AdminRequest, { context }: AdminParts): Promise<AdminReply> {
  requireKeys(body, []);
  if (context.reload === null) {
    throw new AdminError(501, 'no-reload', 'this process was not started from a configuration file');
  }
  const outcome = await context.reload();
  if (outcome.ok) return jsonReply({ generation: outcome.generation, changes: outcome.changes });
  const details = { problems: outcome.problems };
  throw new AdminError(422, 'config-refused', 'the configuration is refused; nothing has changed', { details });
}
