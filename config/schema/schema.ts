// The schema of the configuration file: types, validation, descriptions and reference page come from it. Thread: main.

import { z } from 'zod';
import { allBalancers } from '../../balancers/registry.ts';
import { allCheckers } from '../../health/checkers/checkers.ts';
import { admin } from './schema-admin.ts';
import { clientLimits, clientTimeouts } from './schema-client.ts';
import { listeners } from './schema-listeners.ts';
import { plugins } from './schema-policies.ts';
import { health, overload, reload } from './schema-process.ts';
import { routes } from './schema-routes.ts';
import { upstreamSchema, upstreamsSchema } from './schema-upstreams.ts';
import { count, duration, parsedText } from './schema-values.ts';

const workers = z
  .union([z.literal('auto'), count(1, 64)])
  .meta({ expects: 'auto or a whole number from 1 to 64', example: 'auto' })
  .default('auto')
  .describe('Worker threads; `auto` is one for each processor.');

const logOutput = parsedText(
  (text) => {
    if (text === 'stdout' || text === 'stderr' || (text.length > 1 && !text.includes('\0')))
      return { ok: true, value: text };
    return { ok: false, message: 'an access log goes to stdout, stderr or a file' };
  },
  { expects: 'stdout, stderr or the path of a file', example: 'stdout' },
);

const accessLog = z
  .strictObject({
    format: z
      .enum(['json', 'haproxy', 'combined'])
      .default('json')
      .describe("`json`, HAProxy's HTTP log line, or the combined format of nginx and Apache."),
    output: logOutput.prefault('stdout').describe('`stdout`, `stderr` or the path of a file.'),
  })
  .meta({ expects: 'a mapping with format and output', example: '{ format: json, output: stdout }' })
  .describe('One line for each request. Absent: none.');

function buildSchema(upstream: ReturnType<typeof upstreamSchema>) {
  return z
    .strictObject({
      workers,
      fastPath: z
        .boolean()
        .default(true)
        .describe('Whether plain HTTP/1.1 requests take the fast path. `false` sends all through the general path.'),
      listeners,
      routes,
      upstreams: upstreamsSchema(upstream).prefault({}),
      timeouts: clientTimeouts,
      limits: clientLimits,
      overload,
      admin: admin.optional(),
      accessLog: accessLog.optional(),
      log: z
        .strictObject({
          level: z
            .enum(['debug', 'info', 'warn', 'error'])
            .default('info')
            .describe('Least severe messages that are written.'),
        })
        .prefault({})
        .describe('The log of the process.'),
      shutdown: z
        .strictObject({
          delay: duration({ orNone: true })
            .prefault('none')
            .describe(
              'How long a drain only says that it is not ready (`/readyz`) before it stops accepting, so that an outer balancer can look away first.',
            ),
          grace: duration()
            .prefault('30s')
            .describe('How long a drain waits for exchanges in flight before it ends them.'),
        })
        .prefault({})
        .describe('How Fairlead stops.'),
      reload,
      health: health.optional(),
      plugins,
    })
    .meta({ expects: 'a mapping with listeners, routes and upstreams' });
}

interface Schemas {
  readonly config: ReturnType<typeof buildSchema>;
  readonly upstream: ReturnType<typeof upstreamSchema>;
  /** Balancers and checkers when they were built. */
  readonly registered: number;
}

let current: Schemas | undefined;

/** The schemas for all balancers and checkers; built again after a plugin has added one. */
function schemas(): Schemas {
  const registered = allBalancers().length + allCheckers().length;
  if (current?.registered === registered) return current;
  const upstream = upstreamSchema();
  current = { config: buildSchema(upstream), upstream, registered };
  return current;
}

/** Schema of the whole configuration. */
export function configSchema(): Schemas['config'] {
  return schemas().config;
}

/** Schema of one upstream. */
export function currentUpstreamSchema(): Schemas['upstream'] {
  return schemas().upstream;
}

/** A configuration that fits the schema, with every default filled in. */
export type Config = z.output<ReturnType<typeof buildSchema>>;

/** What may be written for it. */
export type ConfigInput = z.input<ReturnType<typeof buildSchema>>;
