// Schema of `routes`: actions and settings; their conditions are in schema-match.ts. Thread: main.

import { z } from 'zod';
import type { HostField } from '../../core/snapshot/route.ts';
import { isHost } from '../../net/host-name.ts';
import { regexOption } from '../../proxy/policies/rewrite.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { files } from './schema-files.ts';
import { routeLimits } from './schema-client.ts';
import { match } from './schema-match.ts';
import { routeRetry } from './schema-retry.ts';
import { routeTimeouts } from './schema-upstreams.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { count, fieldValue, filePath, name, optionSchemas, parsedText, template, size } from './schema-values.ts';

const respond = z
  .strictObject({
    status: count(200, 599).default(200).describe('Status of the response.'),
    body: z
      .string()
      .meta({ expects: 'text', example: 'nothing here' })
      .describe('Body of the response; may have values in braces (docs/policies/values.md). Empty if absent.')
      .optional(),
    file: filePath('maintenance.html')
      .describe('File with the body, read when the configuration is loaded.')
      .optional(),
    values: z
      .boolean()
      .describe('Whether values in braces are replaced. `true` for `body`, and `false` for `file`, if absent.')
      .optional(),
    contentType: fieldValue()
      .describe('Content-Type of the response; if absent, that of the name of `file`, or `text/plain; charset=utf-8`.')
      .optional(),
  })
  .meta({ expects: 'a mapping with status and body', example: '{ status: 404, body: nothing here }' })
  .describe('Responds directly, without an endpoint.');

const redirect = z
  .strictObject({
    status: z
      .literal([301, 302, 303, 307, 308])
      .default(308)
      .describe('Status; 308 and 307 keep the method, 308 and 301 are permanent.'),
    to: template('url', { expects: 'a URL or an absolute path', example: '"https://www.example.com{uri}"' }).describe(
      'Value of `Location`; may have values in braces (docs/policies/redirects.md).',
    ),
    regex: regexOption(optionSchemas, "the request's path")
      .describe('Replaces a part of the path that `{path}` and `{uri}` have in `to`.')
      .optional(),
  })
  .meta({ expects: 'a mapping with to and status', example: '{ to: "https://www.example.com{uri}", status: 301 }' })
  .describe('Responds with a redirect.');

function parseHostField(text: string): Parsed<string> {
  const withoutPort = text.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isHost(withoutPort)) return { ok: true, value: text };
  const forms = 'write a name with an optional port, { from: client } or { from: endpoint }';
  return { ok: false, message: `${quoted(text)} is not a host: ${forms}` };
}

/** Words that were the only way to name a source before `from`; as a text they shadow hosts of these names. */
export const HOST_WORDS: ReadonlyMap<string, 'client' | 'endpoint'> = new Map([
  ['preserve', 'client'],
  ['endpoint', 'endpoint'],
]);

function hostOrWord(text: string): HostField {
  const kind = HOST_WORDS.get(text);
  return kind === undefined ? { kind: 'fixed', value: text } : { kind };
}

const fixedHost = parsedText(parseHostField, { expects: 'a host name', example: 'app.internal' });

const hostSource = z
  .strictObject({
    from: z.enum(['client', 'endpoint']).describe("The client's Host, or the endpoint's own address.").optional(),
    name: fixedHost.describe('A fixed host, also one that is named `endpoint` or `preserve`.').optional(),
  })
  .transform(({ from, name: fixed }, context): HostField => {
    if (from !== undefined && fixed === undefined) return { kind: from };
    if (fixed !== undefined && from === undefined) return { kind: 'fixed', value: fixed };
    const message = 'exactly one of from and name is required';
    context.issues.push({ code: 'custom', message, input: { from, fixed }, params: { code: 'FL3007' } });
    return z.NEVER;
  })
  .meta({ expects: 'a mapping with from or name' });

const hostField = z
  .union([fixedHost.transform(hostOrWord), hostSource])
  .meta({ expects: 'a host name, { from: client } or { from: endpoint }', example: '{ from: endpoint }' });

/** Of `requestBuffer: true`. */
const BUFFER_BYTES = 1024 * 1024;

/** Keys of a route of which exactly one is required. */
export const ACTIONS = ['upstream', 'split', 'respond', 'redirect', 'files'] as const;

/** Those by which requests go to endpoints. */
export const FORWARDING_ACTIONS: readonly string[] = ['upstream', 'split'];

/** Keys that have no meaning for a route that answers by itself. */
export const NEEDS_UPSTREAM = [
  'requestHeaders',
  'rewrite',
  'mirror',
  'host',
  'limits',
  'timeouts',
  'retry',
  'requestBuffer',
  'expect',
] as const;

/** Nested routes are resolved before the schema is applied (config/groups/). */
const nestedRoutes: z.ZodType<unknown[]> = z
  .lazy(() => z.array(route))
  .meta({ expects: 'a list of routes', example: '[{ match: { path: /api/ }, upstream: api }]' });

/** Larger uploads are streamed from this size on. */
const requestBuffer = z
  .union([z.literal(true).transform(() => BUFFER_BYTES), size('1KiB', '64MiB')])
  .meta({ expects: 'true, or a size from 1KiB to 64MiB', example: '1MiB' })
  .describe(
    'Request bodies are received up to this size (`true`: 1MiB) before an endpoint is chosen, so that slow clients occupy no endpoint. Larger bodies are forwarded from there on as they arrive.',
  );

export const route = z
  .strictObject({
    name: name()
      .describe(
        'Name in logs and metrics; `route-1` and so on if absent. Nested routes get the name of their group before it: `site.api`.',
      )
      .optional(),
    match: match.optional(),
    routes: nestedRoutes
      .describe(
        'Makes this route a group: its routes inherit the conditions of `match`, all of which must hold, and every setting that they do not give themselves; `null` switches an inherited setting off. A request that matches none of them goes on to the routes after the group.',
      )
      .optional(),
    upstream: name()
      .describe(
        'Upstream that receives the requests. Exactly one of `upstream`, `split`, `respond`, `redirect` and `files` is required.',
      )
      .optional(),
    respond: respond.optional(),
    redirect: redirect.optional(),
    files: files.optional(),
    ...policyKeys('route'),
    policies,
    host: hostField
      .prefault({ from: 'client' })
      .describe(
        "Host field sent to the endpoint: the client's (`{ from: client }`), the endpoint's own (`{ from: endpoint }`), or a fixed name.",
      ),
    limits: routeLimits.optional(),
    requestBuffer: requestBuffer.optional(),
    expect: z
      .enum(['forward', 'respond', 'refuse'])
      .describe(
        '`Expect: 100-continue` of clients: `forward` relays it and the 100 of the endpoint (the default), `respond` answers 100 at once and does not forward it, `refuse` answers 417.',
      )
      .optional(),
    timeouts: routeTimeouts,
    retry: routeRetry,
  })
  .meta({ id: 'route', expects: 'a route with match and upstream', example: '{ match: { path: / }, upstream: app }' });

export const routes = z
  .array(route)
  .min(1)
  .meta({ expects: 'a list of routes', example: '[{ upstream: app }]' })
  .describe('Routes in order. The first matching route handles the request; a request that matches none gets 404.');

export type RouteConfig = z.output<typeof route>;
