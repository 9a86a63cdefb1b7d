// Schema of `upstreams`: endpoints, timeouts, limits and TLS. Thread: main.

import { z } from 'zod';
import { parseEndpointAddress } from '../values/endpoint-address.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { sendProxyProtocol } from './schema-proxy-protocol.ts';
import { discoverSchema } from './schema-discover.ts';
import { healthSchema } from './schema-health.ts';
import { hedge, retry } from './schema-retry.ts';
import {
  count,
  countOrNone,
  duration,
  filePath,
  host,
  label,
  name,
  oneOrMany,
  parsedText,
  percent,
  size,
  optionSchemas,
} from './schema-values.ts';
import { allBalancers } from '../../balancers/registry.ts';

const address = parsedText(parseEndpointAddress, {
  expects: 'a URL such as http://10.0.0.1:3000',
  example: 'http://10.0.0.1:3000',
});

const endpointSettings = z.strictObject({
  url: address.describe(
    '`http://host:port`, `https://host:port` or `unix:/path`; for TCP sessions `tcp://host:port` or `tls://host:port`.',
  ),
  weight: count(1, 256)
    .meta({
      expects: 'a whole number from 1 to 256',
      insteadOfZero: 'to stop requests, drain the endpoint or remove it',
    })
    .default(1)
    .describe('Share of requests relative to the other endpoints.'),
  backup: z
    .boolean()
    .default(false)
    .describe('Whether it receives requests only when the primary endpoints are insufficient.'),
  zone: label('eu-1a').default('').describe('Name of its place, such as an availability zone.'),
});

const DEFAULTS = { weight: 1, backup: false, zone: '' };

const configuredEndpoint = endpointSettings.extend({
  resolve: z
    .enum(['connect', 'all'])
    .default('connect')
    .describe(
      'Use of a host name: `connect` resolves it when connecting, as one endpoint; `all` makes each of its addresses an endpoint, with health and balance of its own (docs/discovery.md).',
    ),
});

const endpoint = z
  .union([address.transform((given) => ({ url: given, ...DEFAULTS, resolve: 'connect' as const })), configuredEndpoint])
  .meta({ expects: 'a URL, or a mapping with url, weight, backup, zone and resolve', example: 'http://10.0.0.1:3000' });

const listedEndpoint = endpointSettings.extend({
  metadata: z
    .record(z.string(), label('blue'))
    .default({})
    .meta({ expects: 'a mapping of names to texts', example: '{ version: "7" }' })
    .describe('Labels for the reader of the list; a change of them is a new version of the endpoint.'),
});

/** An endpoint of such a list. */
export const endpointInList = z
  .union([address.transform((given) => ({ url: given, ...DEFAULTS, metadata: {} })), listedEndpoint])
  .meta({
    expects: 'a URL, or a mapping with url, weight, backup, zone and metadata',
    example: 'http://10.0.0.1:3000',
  });

/** A list of endpoints outside the configuration. */
export const endpointList = z
  .array(endpointInList)
  .meta({ expects: 'a list of endpoints', example: '[http://10.0.0.1:3000]' });

const exchangeTimeouts = {
  response: duration({ orNone: true }).describe(
    'Time from the end of the request to the response head. On expiry: 504.',
  ),
  idle: duration({ orNone: true }).describe('Longest pause within a request or response body.'),
  queue: duration().describe('Time in the queue; at most 0.4 of `response`. On expiry: 503.'),
  tunnel: duration({ orNone: true }).describe('Idle time of an upgraded connection (WebSocket) or of a TCP session.'),
};

/** `timeouts` of a route. */
export const routeTimeouts = z
  .strictObject(exchangeTimeouts)
  .partial()
  .meta({ expects: 'a mapping with response, idle, queue and tunnel', example: '{ response: 5m }' })
  .describe('Timeouts for endpoints, in place of those of the upstream.')
  .optional();

const timeouts = z
  .strictObject({
    connect: duration().prefault('3s').describe('Time for connecting, including TLS.'),
    response: exchangeTimeouts.response.prefault('60s'),
    idle: exchangeTimeouts.idle.prefault('60s'),
    queue: exchangeTimeouts.queue.prefault('5s'),
    tunnel: exchangeTimeouts.tunnel.prefault('1h'),
    keepAlive: duration()
      .prefault('4s')
      .describe('Idle time of a pooled endpoint connection, unless the endpoint announces its own (Keep-Alive).'),
  })
  .prefault({})
  .describe('Timeouts for endpoints.');

const limits = z
  .strictObject({
    maxConnections: countOrNone(1_000_000)
      .prefault('none')
      .describe('Limit of in-flight requests (with TCP: of sessions) per endpoint, over all workers.'),
    concurrency: z
      .enum(['fixed', 'auto'])
      .default('fixed')
      .describe(
        'Limit of in-flight requests of each endpoint: `fixed` uses `maxConnections`; `auto` adapts it to the latency, from 4 to `maxConnections` (10,000 if that is none).',
      ),
    maxQueue: countOrNone(1_000_000).prefault(1000).describe('Limit of queued requests. Above it: 503.'),
    maxIdle: count(0, 10_000)
      .default(1000)
      .describe(
        'Limit of idle connections per endpoint and worker. A burst keeps the connections that it has opened; those that nobody needs any more expire after `timeouts.keepAlive`.',
      ),
    responseHead: size('1KiB', '1MiB').prefault('32KiB').describe('Size limit of a response head. Above it: 502.'),
  })
  .prefault({})
  .describe('Limits for endpoints.');

const tls = z
  .strictObject({
    verify: z.boolean().default(true).describe('Whether certificates of endpoints are verified.'),
    ca: oneOrMany(filePath('certs/internal-ca.pem'))
      .describe("PEM file or files with trusted CAs; the system's if absent.")
      .optional(),
    cert: filePath('certs/fairlead.pem')
      .describe(
        'PEM file with the certificate that Fairlead presents to endpoints, followed by its chain; none if absent.',
      )
      .optional(),
    key: filePath('certs/fairlead.key').describe('PEM file with its private key, without a passphrase.').optional(),
    serverName: host().describe('Server name for SNI and verification; the host of the URL if absent.').optional(),
  })
  .prefault({})
  .describe('TLS to endpoints with an https or tls URL.');

const protocol = z
  .enum(['http1', 'http2', 'auto'])
  .default('http1')
  .describe(
    'Protocol of requests to the endpoints: `http1` is HTTP/1.1; `http2` is HTTP/2, by ALPN with an https URL and with prior knowledge with an http URL; `auto` is what each endpoint chooses by ALPN, for https URLs only. gRPC needs `http2` or `auto`.',
  );

const backups = z
  .strictObject({
    below: percent('30%').describe(
      "Share of the primaries' weight. While the usable share is below it, backups receive requests too.",
    ),
  })
  .meta({ expects: 'a mapping such as { below: 30% }', example: '{ below: 30% }' })
  .describe('Condition for using endpoints with `backup: true`; if absent, only when no primary is usable.');

const locality = z
  .strictObject({
    prefer: z
      .enum(['zone'])
      .default('zone')
      .describe('Endpoints that are preferred: those whose `zone` is the `zone` of this Fairlead.'),
    spillBelow: percent('70%')
      .refine((value) => value > 0, { params: { code: 'FL2005' }, message: 'expected a percentage above 0%' })
      .default(70)
      .describe(
        "Usable share of the own zone's weight below which requests spill over to other zones, in proportion to what is lost (docs/algorithms.md 5.5).",
      ),
  })
  .meta({
    expects: 'a mapping such as { prefer: zone, spillBelow: 70% }',
    example: '{ prefer: zone, spillBelow: 70% }',
  })
  .describe(
    'Preference for endpoints of the own zone, which needs the top-level `zone`. If absent, zones do not matter.',
  );

const whenAllDown = z
  .enum(['fail', 'try-all', 'wait'])
  .default('wait')
  .describe(
    'Behaviour when no endpoint is usable. Requests that can be repeated first try each down endpoint once. Then `wait` queues requests for at most `timeouts.queue`, `fail` answers 503 at once, and `try-all` sends all requests as if every endpoint were up.',
  );

const onDown = z
  .enum(['keep', 'close'])
  .default('keep')
  .describe(
    'With TCP: the sessions of an endpoint that is down, ejected or in maintenance continue (`keep`), or are closed at once, so that clients reconnect to another endpoint (`close`).',
  );

/** Schema of one upstream, for the balancers and checkers that are registered now. */
export function upstreamSchema() {
  return z
    .strictObject({
      balance: balanceSchema()
        .prefault('least-request')
        .describe('The balancer, which picks an endpoint for each request.'),
      endpoints: z
        .array(endpoint)
        .min(1)
        .meta({ expects: 'a list of endpoints', example: '[http://10.0.0.1:3000]' })
        .default([])
        .describe(
          'Endpoints: URLs, or mappings with `url`. Host names are resolved when connecting. Required without `discover`.',
        ),
      discover: discoverSchema(),
      protocol,
      proxyProtocol: sendProxyProtocol.optional(),
      backups: backups.optional(),
      locality: locality.optional(),
      health: healthSchema(),
      whenAllDown,
      onDown,
      slowStart: duration({ orNone: true }).prefault('none').describe("Ramp-up time of a returning endpoint's weight."),
      retry,
      hedge,
      timeouts,
      limits,
      ...policyKeys('upstream'),
      policies,
      tls,
    })
    .meta({ expects: 'an upstream with endpoints', example: '{ endpoints: [http://10.0.0.1:3000] }' })
    .describe('An upstream by name.');
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

/** A balancer's name, and its options by theirs. */
type BalanceConfig = { readonly strategy: string } & Readonly<Record<string, unknown>>;

/** Builds the schema for the balancers that are registered now. */
function balanceSchema() {
  const balancers = allBalancers();
  const names = balancers.map(({ name }) => name);
  const expects = `one of ${names.join(', ')}`;
  const strategyMeta = { expects, example: 'random', description: 'The balancer.' };
  const forms = balancers.map(({ name, options }) =>
    z.strictObject({ strategy: z.literal(name).meta(strategyMeta), ...options(optionSchemas) }),
  );
  const [first, ...others] = forms;
  const strategies = z.discriminatedUnion('strategy', [first!, ...others]);
  return z
    .union([z.enum(names), strategies])
    .transform((given): BalanceConfig => (typeof given === 'string' ? strategies.parse({ strategy: given }) : given))
    .meta({
      expects: `${names.join(', ')}, or a mapping with strategy`,
      example: '{ strategy: consistent-hash, key: header:x-user }',
    });
}
