// Schema of `upstreams`: the groups of endpoints and how requests are spread over them. Thread: main.

import { z } from 'zod';
import { parseEndpointAddress } from '../values/endpoint-address.ts';
import { balanceSchema } from './schema-balance.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { healthSchema } from './schema-health.ts';
import { hedge, retry } from './schema-retry.ts';
import {
  count,
  countOrNone,
  duration,
  filePath,
  host,
  name,
  oneOrMany,
  parsedText,
  percent,
  size,
} from './schema-values.ts';

const address = parsedText(parseEndpointAddress, {
  expects: 'a URL such as http://10.0.0.1:3000',
  example: 'http://10.0.0.1:3000',
});

const endpointSettings = z.strictObject({
  url: address.describe('`http://host:port`, `https://host:port` or `unix:/path`.'),
  weight: count(1, 256)
    .meta({
      expects: 'a whole number from 1 to 256',
      insteadOfZero: 'to keep requests away, drain the endpoint or remove it',
    })
    .default(1)
    .describe('Share of requests, relative to the other endpoints.'),
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
    concurrency: z
      .enum(['fixed', 'auto'])
      .default('fixed')
      .describe(
        'How the limit of each endpoint is found: `fixed` is `maxConnections`; `auto` follows how fast it answers, from 4 up to `maxConnections` (10,000 where that is none).',
      ),
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

const backups = z
  .strictObject({
    below: percent('30%').describe(
      "Share of the primaries' weight: while less of it is usable, backups get requests beside them.",
    ),
  })
  .meta({ expects: 'a mapping such as { below: 30% }', example: '{ below: 30% }' })
  .describe('When endpoints with `backup: true` get requests. Only when no other is usable, if absent.');

const whenAllDown = z
  .enum(['fail', 'try-all', 'wait'])
  .default('wait')
  .describe(
    'When no endpoint is usable. Requests that may be repeated first try each endpoint that is down once. Then `wait` queues requests for at most `timeouts.queue`, `fail` answers 503 at once, and `try-all` sends all requests as if every endpoint were up.',
  );

/** Schema of one upstream, for the balancers and checkers that are registered now. */
export function upstreamSchema() {
  return z
    .strictObject({
      balance: balanceSchema().prefault('least-request').describe('How an endpoint is picked.'),
      endpoints: z
        .array(endpoint)
        .min(1)
        .meta({ expects: 'a list of endpoints', example: '[http://10.0.0.1:3000]' })
        .describe('The endpoints: URLs, or mappings with `url`. A host name is looked up when a connection is made.'),
      backups: backups.optional(),
      health: healthSchema(),
      whenAllDown,
      slowStart: duration({ orNone: true })
        .prefault('none')
        .describe('How long the share of an endpoint that comes back takes to grow to its full weight.'),
      retry,
      hedge,
      timeouts,
      limits,
      ...policyKeys('upstream'),
      policies,
      tls,
    })
    .meta({ expects: 'an upstream with endpoints', example: '{ endpoints: [http://10.0.0.1:3000] }' })
    .describe('One upstream by name.');
}

/** @param upstream schema of one */
export function upstreamsSchema(upstream: ReturnType<typeof upstreamSchema>) {
  return z
    .record(name(), upstream)
    .meta({ expects: 'a mapping of names to upstreams', example: '{ app: { endpoints: [http://10.0.0.1:3000] } }' })
    .describe('Named groups of interchangeable endpoints.');
}

export type UpstreamConfig = z.output<ReturnType<typeof upstreamSchema>>;
export type EndpointConfig = UpstreamConfig['endpoints'][number];
