// Policy: cross-origin requests of browsers (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). Answers preflight
// requests, and names the allowed origin on responses and local replies, in place of what the endpoint says.
// Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { PolicyExchange, PolicyReply } from '../../core/policy/policy.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** `*`, an origin, or an origin with `*.` in place of the labels below a domain. */
const ORIGIN = /^(?:\*|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[a-z0-9.[\]:-]+)$/i;

/** Data of the policy in a Snapshot. */
export interface CorsData {
  readonly cors: {
    /** Lower case. Empty for any origin. */
    readonly exact: readonly string[];
    /** [scheme with ://, domain with its leading dot, ...], lower case. */
    readonly wildcards: readonly string[];
    readonly methods: string;
    /** '' allows whatever names the browser requests. */
    readonly headers: string;
    readonly exposed: string;
    readonly hasCredentials: boolean;
    readonly maxAgeS: number;
  };
}

export const cors = builtIn({
  name: 'cors',
  scope: 'route',
  stage: 'authorize',
  needs: ['reply'],
  options: (schemas) => ({ cors: corsOptions(schemas).optional() }),
  compile: (options, context): CorsData | null =>
    options.cors === undefined ? null : { cors: compileCors(options.cors, context) },
  explain: ({ cors: data }, exchange) => {
    const origin = allowedOrigin(exchange, data);
    const verdict = origin === null ? 'allows no origin' : `allows the origin ${origin}`;
    return isPreflight(exchange) ? `answers the preflight request (204), ${verdict}` : verdict;
  },
  create: ({ cors: data }) => ({
    onRequest: (exchange) => (isPreflight(exchange) ? preflightReply(exchange, data) : undefined),
    onResponse(exchange): undefined {
      for (const name of OWN_NAMES) exchange.removeResponseField(name);
      const fields = responseFields(exchange, data);
      for (let at = 0; at < fields.length; at += 2) exchange.addResponseField(fields[at]!, fields[at + 1]!);
    },
    /** Scripts may read error replies too; a preflight's reply has its fields. */
    onLocalReply(exchange, reply): PolicyReply | undefined {
      if (reply.fields.includes('Access-Control-Allow-Methods')) return undefined;
      const fields = responseFields(exchange, data);
      return fields.length === 0 ? undefined : { ...reply, fields: [...reply.fields, ...fields] };
    },
  }),
});

/** Fields that the policy alone sets: an endpoint's own would contradict them. */
const OWN_NAMES = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
] as const;

function corsOptions({ z, oneOrMany, text, token, fieldName, duration }: OptionSchemas) {
  const origin = text(
    (given) =>
      ORIGIN.test(given)
        ? { ok: true, value: given.toLowerCase() }
        : { ok: false, message: `${JSON.stringify(given)} is not an origin: write https://example.com, or *` },
    { expects: 'an origin', example: 'https://app.example.com' },
  );
  const method = token('a method', 'GET');
  return z
    .strictObject({
      origins: oneOrMany(origin)
        .prefault('*')
        .describe('Origins that may read responses: `https://example.com`, `https://*.example.com`, or `*`.'),
      methods: z
        .array(method)
        .min(1)
        .default(METHODS)
        .meta({ expects: 'a list of methods' })
        .describe('Allowed methods.'),
      headers: z
        .array(fieldName())
        .meta({ expects: 'a list of names of header fields' })
        .describe('Request fields that scripts may set; all if absent.')
        .optional(),
      exposed: z
        .array(fieldName())
        .default([])
        .meta({ expects: 'a list of names of header fields' })
        .describe('Response fields that scripts may read besides the usual ones.'),
      credentials: z.boolean().default(false).describe('Whether requests may carry cookies and credentials.'),
      maxAge: duration().prefault('10m').describe('How long browsers keep the answer to a preflight.'),
    })
    .meta({ expects: 'a mapping with origins', example: '{ origins: https://app.example.com }' })
    .describe('Lets pages of other origins use the route (CORS).');
}

type CorsOptions = OptionsOf<{ cors: ReturnType<typeof corsOptions> }>['cors'];

function compileCors(options: CorsOptions, { report }: CompileContext): CorsData['cors'] {
  const isAny = options.origins.includes('*');
  if (isAny && options.credentials) {
    const message = 'browsers refuse credentials for any origin: name the origins, or leave credentials out';
    report({ code: 'FL3008', message, path: ['cors', 'credentials'] });
  }
  const named = isAny ? [] : options.origins;
  return {
    exact: named.filter((origin) => !origin.includes('://*.')),
    wildcards: named.filter((origin) => origin.includes('://*.')).flatMap((origin) => origin.split('*')),
    methods: options.methods.map((one) => one.toUpperCase()).join(', '),
    headers: options.headers?.join(', ') ?? '',
    exposed: options.exposed.join(', '),
    hasCredentials: options.credentials,
    maxAgeS: Math.round(options.maxAge / 1000),
  };
}

type Requested = Pick<PolicyExchange, 'request'>;

function isPreflight({ request }: Requested): boolean {
  const { method } = request;
  if (method !== 'OPTIONS' || request.field('access-control-request-method') === undefined) return false;
  return request.field('origin') !== undefined;
}

/** Value of Access-Control-Allow-Origin; null where the request has no origin, or one that is not allowed. */
function allowedOrigin({ request }: Requested, { exact, wildcards }: CorsData['cors']): string | null {
  const origin = request.field('origin');
  if (origin === undefined) return null;
  if (exact.length === 0 && wildcards.length === 0) return '*';
  const given = origin.toLowerCase();
  if (exact.includes(given)) return origin;
  for (let at = 0; at < wildcards.length; at += 2) {
    const [scheme, domain] = [wildcards[at]!, wildcards[at + 1]!];
    const isBelow = given.startsWith(scheme) && given.endsWith(domain);
    if (isBelow && given.length > scheme.length + domain.length) return origin;
  }
  return null;
}

function responseFields(exchange: PolicyExchange, data: CorsData['cors']): FieldList {
  const isAny = data.exact.length === 0 && data.wildcards.length === 0;
  // A cache must keep the responses for different origins apart, those without an allowed one included.
  const fields = isAny ? [] : ['Vary', 'Origin'];
  const origin = allowedOrigin(exchange, data);
  if (origin === null) return fields;
  fields.push('Access-Control-Allow-Origin', origin);
  if (data.hasCredentials) fields.push('Access-Control-Allow-Credentials', 'true');
  if (data.exposed !== '') fields.push('Access-Control-Expose-Headers', data.exposed);
  return fields;
}

function preflightReply(exchange: PolicyExchange, data: CorsData['cors']): PolicyReply {
  const vary = ['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'];
  const origin = allowedOrigin(exchange, data);
  if (origin === null) return { status: 204, fields: vary };
  const fields = [...vary, 'Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Methods', data.methods];
  const headers = data.headers || exchange.request.field('access-control-request-headers');
  if (headers !== undefined) fields.push('Access-Control-Allow-Headers', headers);
  if (data.hasCredentials) fields.push('Access-Control-Allow-Credentials', 'true');
  fields.push('Access-Control-Max-Age', String(data.maxAgeS));
  return { status: 204, fields };
}
