// Schema of the configuration file: source of types, validation, descriptions and the reference page. Thread: main.

import { z } from 'zod';
import { allBalancers } from '../../balancers/registry.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../../core/log.ts';
import { allCheckers } from '../../health/checkers/checkers.ts';
import { allLogFormats } from '../../logging/access/log-formats.ts';
import { parseIncludePattern } from '../include/include-pattern.ts';
import { accessLogSchema } from './schema-access-log.ts';
import { admin } from './schema-admin.ts';
import { clientLimits, clientTimeouts } from './schema-client.ts';
import { listeners } from './schema-listeners.ts';
import { plugins } from './schema-policies.ts';
import { health, overload, reload } from './schema-process.ts';
import { route, routes } from './schema-routes.ts';
import { tracing } from './schema-tracing.ts';
import { upstreamSchema, upstreamsSchema } from './schema-upstreams.ts';
import { count, duration, label, oneOrMany, parsedText, optionSchemas } from './schema-values.ts';
import type { OptionShape } from '../../core/option-schema.ts';
import { allProviders } from '../../providers/providers.ts';
import { checkRegistration, registrationOptions } from '../../discovery/consul/registration-settings.ts';

const workers = z
  .union([z.literal('auto'), count(1, 64)])
  .meta({ expects: 'auto or a whole number from 1 to 64', example: 'auto' })
  .default('auto')
  .describe('Number of worker threads; `auto` is one per available CPU.');

const include = oneOrMany(
  parsedText(parseIncludePattern, { expects: 'a file or a pattern such as conf.d/*.yaml', example: 'conf.d/*.yaml' }),
)
  .describe(
    'Further files, relative to this one: paths, or patterns with `*` and `?` in the file name, sorted by name. Their routes, listeners, plugins and upstreams join those of this file; a list continues in the order in which `include` and the list are written. Other settings belong in one file.',
  )
  .optional();

function buildSchema(upstream: ReturnType<typeof upstreamSchema>) {
  return z
    .strictObject({
      workers,
      include,
      defaults: defaultsSchema(upstream),
      zone: label('eu-1a')
        .default('')
        .describe('Zone in which this Fairlead runs, for `locality`; often a variable such as `${ZONE}`.'),
      fastPath: z
        .boolean()
        .default(true)
        .describe(
          'Whether plain HTTP/1.1 requests use the fast path. `false` sends every request through the general path.',
        ),
      listeners,
      routes,
      upstreams: upstreamsSchema(upstream).prefault({}),
      timeouts: clientTimeouts,
      limits: clientLimits,
      overload,
      admin: admin.optional(),
      accessLog: accessLogSchema().optional(),
      tracing: tracing.optional(),
      register: register.optional(),
      log: z
        .strictObject({
          level: z.enum(LOG_LEVELS).default('info').describe('Minimum severity of logged messages.'),
          format: z
            .enum(LOG_FORMATS)
            .default('auto')
            .describe(
              'Form of a line: `human` has time, level and sentence, `json` every field. `auto` is `human` on a terminal and `json` elsewhere.',
            ),
        })
        .prefault({})
        .describe('The process log.'),
      shutdown: z
        .strictObject({
          delay: duration({ orNone: true })
            .prefault('none')
            .describe(
              'Time for which a drain only reports "not ready" (`/readyz`) before it stops accepting, so that an outer balancer can redirect traffic first.',
            ),
          grace: duration()
            .prefault('30s')
            .describe('Time for open exchanges to finish in a drain. Those left are then aborted.'),
        })
        .prefault({})
        .describe('Shutdown.'),
      reload,
      health: health.optional(),
      plugins,
      providers: providersSchema(),
    })
    .meta({ expects: 'a mapping with listeners, routes and upstreams' });
}

interface Schemas {
  readonly config: ReturnType<typeof buildSchema>;
  readonly upstream: ReturnType<typeof upstreamSchema>;
  /** Balancers, checkers and log formats when they were built. */
  readonly tables: readonly unknown[];
}

let current: Schemas | undefined;

/** The schemas for all balancers, checkers and log formats; built again after a plugin has added one. */
function schemas(): Schemas {
  const tables = [allBalancers(), allCheckers(), allLogFormats()];
  if (current !== undefined && tables.every((table, at) => table === current!.tables[at])) return current;
  const upstream = upstreamSchema();
  current = { config: buildSchema(upstream), upstream, tables };
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

/** Inherited by routes and upstreams before the schema is applied (config/groups/). */
function defaultsSchema(upstream: ReturnType<typeof upstreamSchema>) {
  const ofRoutes: z.ZodType = z.lazy(() => route);
  const ofUpstreams: z.ZodType = z.lazy(() => upstream.partial({ endpoints: true }));
  return z
    .strictObject({
      routes: ofRoutes
        .meta({ expects: 'a mapping of route settings', example: '{ limits: { body: 10MiB } }' })
        .describe('Settings of every route; all keys of a route but `name`, `match`, `routes` and the actions.')
        .optional(),
      upstreams: ofUpstreams
        .meta({ expects: 'a mapping of upstream settings', example: '{ timeouts: { connect: 1s } }' })
        .describe('Settings of every upstream; all keys of an upstream but `endpoints`.')
        .optional(),
    })
    .meta({ expects: 'a mapping with routes and upstreams', example: '{ upstreams: { timeouts: { connect: 1s } } }' })
    .describe('Settings that routes and upstreams inherit key by key, unless they give their own.')
    .optional();
}

/** A valid configuration with all defaults applied. */
export type Config = z.output<ReturnType<typeof buildSchema>>;

/** A configuration as written. */
export type ConfigInput = z.input<ReturnType<typeof buildSchema>>;

/** Options of each provider as validated, by its name. */
type ProvidersConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Builds the schema for the registered providers. */
function providersSchema() {
  const shape: Record<string, z.ZodType> = {};
  for (const { name, options, summary, example, check } of allProviders()) {
    shape[name] = z
      .strictObject(options(optionSchemas) as OptionShape)
      .superRefine((given, context) => {
        for (const { code, message, path } of check?.(given) ?? []) {
          context.addIssue({ code: 'custom', message, path: [...path], params: { code } });
        }
      })
      .meta({ expects: `a mapping such as ${example}`, example })
      .describe(summary)
      .optional();
  }
  const [first] = allProviders();
  return z
    .strictObject(shape)
    .transform((given): ProvidersConfig => {
      const entries = Object.entries(given).filter(([, options]) => options !== undefined);
      return Object.fromEntries(entries) as ProvidersConfig;
    })
    .prefault({})
    .meta({ expects: 'a mapping with providers', example: `{ ${first!.name}: ${first!.example} }` })
    .describe('Programs that contribute routes, upstreams and certificates while Fairlead runs (docs/providers.md).');
}

const consul = z
  .strictObject(registrationOptions(optionSchemas))
  .superRefine((given, context) => {
    for (const { code, message, path } of checkRegistration(given)) {
      context.addIssue({ code: 'custom', message, path: [...path], params: { code } });
    }
  })
  .meta({ expects: 'a mapping such as { service: fairlead }', example: '{ service: fairlead }' });

const register = z
  .strictObject({
    consul: oneOrMany(consul).describe(
      'Registers Fairlead as a service of Consul, or as several: one for each listener, for example (docs/discovery.md).',
    ),
  })
  .meta({ expects: 'a mapping with consul', example: '{ consul: { service: fairlead } }' })
  .describe('Where Fairlead registers itself once it is ready; removed at the beginning of a drain.');
