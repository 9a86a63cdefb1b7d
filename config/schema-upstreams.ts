// Schema of `upstreams`: the groups of endpoints and how requests are spread over them. Thread: main.

import { z } from 'zod';
import type { HashKey } from '../core/snapshot.ts';
import { parseEndpointAddress } from './endpoint-address.ts';
import { quoted, type Parsed } from './parsed.ts';
import { health, retry } from './schema-health.ts';
import {
  count,
  countOrNone,
  factor,
  duration,
  filePath,
  host,
  name,
  oneOrMany,
  parsedText,
  size,
} from './schema-values.ts';

/** Balancers without settings of their own, and with them. */
const STRATEGIES = ['least-request', 'round-robin', 'random', 'peak-ewma', 'first', 'consistent-hash'] as const;

const strategyMeta = { expects: `one of ${STRATEGIES.join(', ')}`, example: 'random', description: 'The balancer.' };

/** Reads `client-ip`, `path`, `header:NAME`, `cookie:NAME` or `query:NAME`. */
export function parseHashKey(text: string): Parsed<HashKey> {
  if (text === 'client-ip' || text === 'path') return { ok: true, value: { kind: text } };
  const match = /^(header|cookie|query):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text);
  const [, kind, named = ''] = match ?? [];
  if (kind === 'header') return { ok: true, value: { kind, name: named.toLowerCase() } };
  if (kind === 'cookie' || kind === 'query') return { ok: true, value: { kind, name: named } };
  const message = `${quoted(text)} is not a key: write client-ip, path, header:NAME, cookie:NAME or query:NAME`;
  return { ok: false, message };
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return number > 1;
}

const tableSize = count(2, 10_000_019).superRefine((size, context) => {
  if (isPrime(size)) return;
  const message = `${size} is not a prime number: Maglev reaches every place of its table only then; 65537 is one`;
  context.issues.push({ code: 'custom', message, input: size, params: { code: 'FL2005', suggestion: '65537' } });
});

const strategies = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal(['least-request', 'round-robin', 'first']).meta(strategyMeta) }),
  z.strictObject({
    strategy: z.literal('random').meta(strategyMeta),
    choices: z
      .literal([1, 2])
      .default(1)
      .describe('With `random`: `2` draws two endpoints and takes the one with less in flight.'),
  }),
  z.strictObject({
    strategy: z.literal('peak-ewma').meta(strategyMeta),
    decay: duration()
      .prefault('10s')
      .describe('With `peak-ewma`: time in which an old latency loses most of its weight.'),
    errorPenalty: duration()
      .prefault('1s')
      .describe('With `peak-ewma`: latency that an error counts as, so that failing fast attracts nothing.'),
  }),
  z.strictObject({
    strategy: z.literal('consistent-hash').meta(strategyMeta),
    key: parsedText(parseHashKey, {
      expects: 'client-ip, path, header:NAME, cookie:NAME or query:NAME',
      example: 'header:x-user',
    })
      .prefault('client-ip')
      .describe('With `consistent-hash`: what of a request is hashed.'),
    boundedLoad: factor(1, 10, '1.25')
      .describe(
        'With `consistent-hash`: most load of an endpoint, as a factor of its even share; what is above goes elsewhere. No bound if absent.',
      )
      .optional(),
    tableSize: tableSize
      .describe(
        'With `consistent-hash`: places in the table, a prime; 65537, or 655373 above 655 endpoints, if absent.',
      )
      .optional(),
    seed: count(0, 0xffff_ffff)
      .default(0)
      .describe('With `consistent-hash`: seed of the hash; several proxies agree when it is the same.'),
  }),
]);

const balance = z
  .union([z.enum(STRATEGIES), strategies])
  .transform((given) => (typeof given === 'string' ? strategies.parse({ strategy: given }) : given))
  .meta({
    expects: `${STRATEGIES.join(', ')}, or a mapping with strategy`,
    example: '{ strategy: consistent-hash, key: header:x-user }',
  });

const address = parsedText(parseEndpointAddress, {
  expects: 'a URL such as http://10.0.0.1:3000',
  example: 'http://10.0.0.1:3000',
});

const endpointSettings = z.strictObject({
  url: address.describe('`http://host:port`, `https://host:port` or `unix:/path`.'),
  weight: count(1, 256).default(1).describe('Share of requests, relative to the other endpoints.'),
  backup: z.boolean().default(false).describe('Whether it gets requests only when the others are not enough.'),
});

const endpoint = z
  .union([address.transform((given) => ({ url: given, weight: 1, backup: false })), endpointSettings])
  .meta({ expects: 'a URL, or a mapping with url, weight and backup', example: 'http://10.0.0.1:3000' });

const timeouts = z
  .strictObject({
    connect: duration().prefault('3s').describe('Making a connection, TLS included.'),
    response: duration({ orNone: true })
      .prefault('60s')
      .describe('From the end of the request to the head of the response. Ends with 504.'),
    idle: duration({ orNone: true }).prefault('60s').describe('Between two pieces of a body, in either direction.'),
    queue: duration().prefault('5s').describe('Waiting for an endpoint; at most 0.4 of `response`. Ends with 503.'),
    tunnel: duration({ orNone: true })
      .prefault('1h')
      .describe('An upgraded connection (WebSocket) without a byte either way.'),
    keepAlive: duration()
      .prefault('4s')
      .describe('Keeping an idle connection to an endpoint, unless the endpoint says how long it keeps it.'),
  })
  .prefault({})
  .describe('Patience with endpoints.');

const limits = z
  .strictObject({
    maxConnections: countOrNone(1_000_000)
      .prefault('none')
      .describe('Most requests in flight at one endpoint, over all workers.'),
    maxQueue: countOrNone(1_000_000)
      .prefault(1000)
      .describe('Most requests that wait for an endpoint of this upstream. Beyond it: 503.'),
    maxIdle: count(0, 10_000).default(64).describe('Most idle connections that a worker keeps to one endpoint.'),
    responseHead: size('1KiB', '1MiB')
      .prefault('32KiB')
      .describe('Largest response head that is accepted. Beyond it: 502.'),
  })
  .prefault({})
  .describe('Bounds on what endpoints are given.');

const tls = z
  .strictObject({
    verify: z.boolean().default(true).describe("Whether endpoints' certificates are verified."),
    ca: oneOrMany(filePath('certs/internal-ca.pem'))
      .describe("PEM file or files with the CAs that are trusted; the system's if absent.")
      .optional(),
    serverName: host().describe("Name to ask for (SNI) and to verify; the URL's host if absent.").optional(),
  })
  .prefault({})
  .describe('TLS to endpoints whose URL is https.');

export const upstream = z
  .strictObject({
    balance: balance.prefault('least-request').describe('How an endpoint is picked.'),
    endpoints: z
      .array(endpoint)
      .min(1)
      .meta({ expects: 'a list of endpoints', example: '[http://10.0.0.1:3000]' })
      .describe('The endpoints: URLs, or mappings with `url`. A host name is looked up when a connection is made.'),
    health,
    retry,
    timeouts,
    limits,
    tls,
  })
  .meta({ expects: 'an upstream with endpoints', example: '{ endpoints: [http://10.0.0.1:3000] }' })
  .describe('One upstream by name.');

export const upstreams = z
  .record(name(), upstream)
  .meta({ expects: 'a mapping of names to upstreams', example: '{ app: { endpoints: [http://10.0.0.1:3000] } }' })
  .describe('Named groups of interchangeable endpoints.');

export type UpstreamConfig = z.output<typeof upstream>;
export type EndpointConfig = UpstreamConfig['endpoints'][number];
