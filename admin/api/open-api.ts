// OpenAPI 3.1 document of the admin API, generated from the table of routes and the reply schemas, so that it matches
// the served API. Thread: main.

import { z } from 'zod';
import type { AdminRoute } from './admin-route.ts';
import { ADMIN_ROUTES } from './admin-routes.ts';
import { problem } from './reply-schemas.ts';

type Json = Record<string, unknown>;

const PROBLEM = 'application/problem+json';
const MEANINGS: Readonly<Record<number, string>> = {
  200: 'Done.',
  400: 'The request makes no sense; `code` says what is wrong with it.',
  401: 'No token, or one that is not known.',
  403: 'The token may not change anything, or a page of another site has asked.',
  404: 'There is nothing of this name; the problem lists what there is.',
  409: 'It has failed; `detail` says why, and all is as before.',
  412: 'It has been changed since the entity tag was given out.',
  413: 'The body is too large.',
  415: 'The body is not declared as JSON.',
  422: 'The configuration is refused; `problems` says why, `findings` says it for programs, and nothing has changed.',
  501: 'This process was not started from a configuration file.',
  503: 'Not now: not ready, or too many streams.',
};

/** Renders the document. @param version version of Fairlead */
export function openApiOf(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of ADMIN_ROUTES) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Fairlead admin API', version, description: 'See docs/admin-api.md.' },
    paths,
    components: {
      schemas: { Problem: schemaOf(problem) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    // Without configured tokens none is needed.
    security: [{}, { token: [] }],
  };
}

function operationOf(route: AdminRoute): Json {
  const { method, means, body } = route;
  const parameters = parametersOf(route);
  return {
    operationId: operationId(route),
    summary: means,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: bodyOf(method, body) }),
    responses: responsesOf(route),
  };
}

/** `getEndpointsWhy`: the method and the fixed segments of the path. */
function operationId({ method, path }: AdminRoute): string {
  const words = path.split(/[/.]/).filter((word) => word !== '' && !/^(?::.*|api|v1)$/.test(word));
  const suffix = /:(\w+)$/.exec(path)?.[1];
  const parts = suffix === undefined ? words : [...words, 'by', suffix];
  return method.toLowerCase() + parts.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function parametersOf({ method, path, query = [], isTagged, isStream }: AdminRoute): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map((match) => {
    return { name: match[1], in: 'path', required: true, schema: { type: 'string' } };
  });
  const inQuery = query.map(({ name, means, schema }) => {
    return { name, in: 'query', description: means, schema: schemaOf(schema) };
  });
  const text = { in: 'header', schema: { type: 'string' } };
  const match = { name: 'If-Match', description: 'Refused with 412 where the tag is another one.', ...text };
  const last = { name: 'Last-Event-ID', description: 'For a stream: events after this one are sent first.', ...text };
  return [...inPath, ...inQuery, ...(isTagged && method !== 'GET' ? [match] : []), ...(isStream ? [last] : [])];
}

function bodyOf(method: string, body: z.ZodType): Json {
  const content: Json = { 'application/json': { schema: schemaOf(body) } };
  if (method === 'PATCH') content['application/merge-patch+json'] = content['application/json'];
  return { required: true, content };
}

function responsesOf(route: AdminRoute): Json {
  const { method, path, reply, query, isTagged, isStream, statuses = [] } = route;
  const content: Json = typeof reply === 'string' ? { [reply]: { schema: { type: 'string' } } } : jsonContent(reply);
  if (isStream) content['text/event-stream'] = { schema: { type: 'string' } };
  const headers = isTagged ? { headers: { ETag: { schema: { type: 'string' } } } } : {};
  const responses: Json = { 200: { description: MEANINGS[200], ...headers, content } };
  const failures = new Set([401, 403, ...statuses]);
  if (query !== undefined || path.includes(':')) failures.add(400);
  if (path.includes(':')) failures.add(404);
  if (isStream) failures.add(503);
  if (method !== 'GET') for (const status of [400, 413, 415]) failures.add(status);
  if (method !== 'GET' && isTagged) failures.add(412);
  for (const status of [...failures].toSorted((a, b) => a - b)) {
    // /readyz has the same schema whether it is ready or not.
    const isOwn = path === '/readyz' && status === 503;
    const shape = isOwn ? content : { [PROBLEM]: { schema: { $ref: '#/components/schemas/Problem' } } };
    responses[status] = { description: MEANINGS[status], content: shape };
  }
  return responses;
}

function jsonContent(reply: z.ZodType): Json {
  return { 'application/json': { schema: schemaOf(reply) } };
}

/** JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      // `format` suffices; the pattern is long.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return json;
}
