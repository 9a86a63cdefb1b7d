// Table of the admin API's routes. The OpenAPI document is generated from it. Thread: main.

import { z } from 'zod';
import { type AdminRoute, change, type QueryParameter } from './admin-route.ts';
import { patchEndpoint, reload, setState, setWeight, upgrade } from './change-handlers.ts';
import { renewCertificate, sendCertificates } from './certificate-handlers.ts';
import { certificates, renewal, renewBody } from './certificate-schemas.ts';
import { endpointAlone, why } from './endpoint-schemas.ts';
import { MAX_EVENTS } from './event-feed.ts';
import { STREAM_KINDS } from './event-streams.ts';
import { explained } from './explain-schemas.ts';
import { explainedSession } from './explain-session-schemas.ts';
import { history, sendHistory } from './history-schemas.ts';
import { sendMaintenance, setMaintenance } from './maintenance-handlers.ts';
import { addEndpoint, removeEndpoint } from './membership-handlers.ts';
import { METRIC_SCOPES } from '../metrics/metric-family.ts';
import * as read from './read-handlers.ts';
import * as schemas from './reply-schemas.ts';
import { revision, revisions, sendRevision, sendRevisions } from './revision-schemas.ts';
import { routes, sendRoutes } from './route-schemas.ts';
import { requestsInFlight, sendRequests } from './request-schemas.ts';
import { MOST_REQUESTS } from '../../core/requests-in-flight.ts';
import { sendSplits, setSplitWeight } from './split-handlers.ts';

const ENDPOINT = '/api/v1/endpoints/:upstream/:endpoint';

const SCOPE: QueryParameter = {
  name: 'scope',
  means: 'Families of these scopes only; may be given several times.',
  schema: z.enum(METRIC_SCOPES),
};
const LIMIT: QueryParameter = {
  name: 'limit',
  means: 'How many at most, the newest.',
  schema: z.int().min(1).max(MAX_EVENTS),
};
const KIND: QueryParameter = {
  name: 'kind',
  means: 'Events of these kinds only; may be given several times. `status` comes on streams only.',
  schema: z.enum(STREAM_KINDS),
};

const REQUEST_LIMIT: QueryParameter = {
  name: 'limit',
  means: 'How many requests at most.',
  schema: z.int().min(1).max(MOST_REQUESTS),
};

const REQUEST: readonly QueryParameter[] = [
  { name: 'url', means: 'Of the request. Needed.', schema: z.string() },
  { name: 'method', means: 'GET if left out.', schema: z.string() },
  { name: 'header', means: '`Name: value`; may be given several times.', schema: z.string() },
  { name: 'client', means: 'Address of who connects; 127.0.0.1 if left out.', schema: z.string() },
  { name: 'listener', means: 'Where the URL does not say it by scheme and port.', schema: z.string() },
  {
    name: 'alpn',
    means: 'Protocol that the client of a TLS session offers; may be given several times.',
    schema: z.string(),
  },
];

const SINCE: QueryParameter = {
  name: 'since',
  means: 'Steps that ended after this time only.',
  schema: z.iso.datetime(),
};
const OF_UPSTREAM: QueryParameter = {
  name: 'upstream',
  means: 'These upstreams only; may be given several times. With an empty name: totals only.',
  schema: z.string(),
};

/** All routes except the OpenAPI document, which is generated from them. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/healthz',
    means: 'whether the process lives',
    reply: schemas.alive,
    handle: read.replyAlive,
  },
  { method: 'GET', path: '/livez', means: 'the same', reply: schemas.alive, handle: read.replyAlive },
  {
    method: 'GET',
    path: '/readyz',
    means: 'whether it may be sent traffic, else 503 and why',
    reply: schemas.ready,
    statuses: [503],
    handle: read.replyReady,
  },
  {
    method: 'GET',
    path: '/metrics',
    means: 'Prometheus metrics, by Accept in OpenMetrics; ?scope= chooses',
    reply: 'text/plain',
    query: [SCOPE],
    handle: read.sendMetrics,
  },
  {
    method: 'GET',
    path: '/api/v1/version',
    means: 'what runs, and since when',
    reply: schemas.version,
    handle: read.sendVersion,
  },
  {
    method: 'GET',
    path: '/api/v1/caller',
    means: 'who asks, and whether they may change anything',
    reply: schemas.caller,
    handle: read.sendCaller,
  },
  {
    method: 'GET',
    path: '/api/v1/status',
    means: 'the state of everything',
    reply: schemas.status,
    handle: read.sendStatus,
  },
  {
    method: 'GET',
    path: '/api/v1/upstreams',
    means: 'upstreams with their endpoints',
    reply: schemas.upstreams,
    handle: read.sendUpstreams,
  },
  {
    method: 'GET',
    path: '/api/v1/upstreams/:upstream',
    means: 'one upstream with its endpoints',
    reply: schemas.upstream,
    handle: read.sendUpstream,
  },
  {
    method: 'GET',
    path: ENDPOINT,
    means: 'one endpoint, with its tag for If-Match',
    reply: endpointAlone,
    isTagged: true,
    handle: read.sendEndpoint,
  },
  {
    method: 'GET',
    path: `${ENDPOINT}/why`,
    means: 'why it is in or out: who found out, since when, until when, the last heartbeats and changes',
    reply: why,
    handle: read.sendWhy,
  },
  change({
    method: 'PATCH',
    path: ENDPOINT,
    means: '{"admin": ..., "weight": ...}: both or one, as below',
    body: schemas.endpointPatch,
    reply: endpointAlone,
    isTagged: true,
    handle: patchEndpoint,
  }),
  change({
    method: 'POST',
    path: `${ENDPOINT}/state`,
    means: '{"admin": "ready" | "drain" | "maintenance"}',
    body: schemas.stateBody,
    reply: endpointAlone,
    isTagged: true,
    handle: setState,
  }),
  change({
    method: 'POST',
    path: `${ENDPOINT}/weight`,
    means: '{"weight": 1..256}, until the configured one changes; null takes the configured one back',
    body: schemas.weightBody,
    reply: endpointAlone,
    isTagged: true,
    handle: setWeight,
  }),
  change({
    method: 'POST',
    path: '/api/v1/upstreams/:upstream/endpoints',
    means:
      '{"url": ..., "weight": 1..256, "backup": ..., "zone": ..., "admin": ...}: add an endpoint, or change one that was added',
    body: schemas.addEndpointBody,
    reply: schemas.addedEndpoint,
    statuses: [409],
    handle: addEndpoint,
  }),
  {
    method: 'DELETE',
    path: ENDPOINT,
    means: 'remove an endpoint that was added',
    reply: schemas.removedEndpoint,
    statuses: [409],
    handle: removeEndpoint,
  },
  {
    method: 'GET',
    path: '/api/v1/maintenance',
    means: 'routes and upstreams in maintenance',
    reply: schemas.maintenance,
    handle: sendMaintenance,
  },
  change({
    method: 'POST',
    path: '/api/v1/maintenance',
    means: '{"name": ..., "on": true | false}: answer 503 for a route or an upstream, or end that',
    body: schemas.maintenanceBody,
    reply: schemas.maintenanceSet,
    statuses: [409],
    handle: setMaintenance,
  }),
  {
    method: 'GET',
    path: '/api/v1/splits',
    means: 'splits of routes, with their weights',
    reply: schemas.splits,
    handle: sendSplits,
  },
  change({
    method: 'POST',
    path: '/api/v1/splits',
    means:
      '{"route": ..., "upstream": ..., "weight": 0..1000000}, until the configured one changes; null takes that back',
    body: schemas.splitBody,
    reply: schemas.split,
    statuses: [409],
    handle: setSplitWeight,
  }),
  {
    method: 'GET',
    path: '/api/v1/providers',
    means: 'providers with their state, and the objects that are refused',
    reply: schemas.providers,
    handle: read.sendProviders,
  },
  {
    method: 'GET',
    path: '/api/v1/certificates',
    means: 'certificates in use and those that are ordered, with their renewal',
    reply: certificates,
    handle: sendCertificates,
  },
  change({
    method: 'POST',
    path: '/api/v1/certificates',
    means: '{"name": ...}: order an automatic certificate now, also after failures',
    body: renewBody,
    reply: renewal,
    statuses: [404],
    handle: renewCertificate,
  }),
  {
    method: 'GET',
    path: '/api/v1/events',
    means: 'the newest changes and reloads; ?limit=, ?kind=; as they happen with Accept: text/event-stream',
    reply: schemas.events,
    query: [LIMIT, KIND],
    isStream: true,
    handle: read.sendEvents,
  },
  {
    method: 'GET',
    path: '/api/v1/history',
    means: 'traffic, errors, latencies and saturation of the last hour, and the error budget; ?since=, ?upstream=',
    reply: history,
    query: [SINCE, OF_UPSTREAM],
    handle: sendHistory,
  },
  {
    method: 'GET',
    path: '/api/v1/requests',
    means: 'the oldest requests in flight, and the clients with the most; ?limit=',
    reply: requestsInFlight,
    query: [REQUEST_LIMIT],
    handle: sendRequests,
  },
  {
    method: 'GET',
    path: '/api/v1/routes',
    means: 'listeners, routes with their policies, and where they lead',
    reply: routes,
    handle: sendRoutes,
  },
  {
    method: 'GET',
    path: '/api/v1/explain',
    means: 'where a request or TCP session would go now, and why: ?url=, ?method=, ?header=, ?client=, ?listener=',
    reply: z.union([explained, explainedSession]),
    query: REQUEST,
    handle: read.sendExplanation,
  },
  {
    method: 'GET',
    path: '/api/v1/config',
    means: 'the configuration as written, without secrets, and the generations that still run',
    reply: schemas.config,
    isTagged: true,
    handle: read.sendConfig,
  },
  {
    method: 'GET',
    path: '/api/v1/revisions',
    means: 'the newest revisions of the configuration, with what each changed',
    reply: revisions,
    handle: sendRevisions,
  },
  {
    method: 'GET',
    path: '/api/v1/revisions/:generation',
    means: 'the text of a revision, without secrets',
    reply: revision,
    statuses: [404],
    handle: sendRevision,
  },
  change({
    method: 'POST',
    path: '/api/v1/reload',
    means: '{}: load the configuration again',
    body: schemas.emptyBody,
    reply: schemas.reloaded,
    isTagged: true,
    statuses: [422, 501],
    handle: reload,
  }),
  change({
    method: 'POST',
    path: '/api/v1/upgrade',
    means: '{}: have the next process take over, which the holder starts; answers when it serves',
    body: schemas.emptyBody,
    reply: schemas.upgraded,
    statuses: [409, 501],
    handle: upgrade,
  }),
  {
    method: 'GET',
    path: '/api/v1/openapi.json',
    means: 'this API as an OpenAPI document',
    reply: z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
    handle: (_request, { openApi }) => openApi(),
  },
];
