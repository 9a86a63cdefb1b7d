// Schema of `providers`: programs that contribute routes, upstreams and certificates. Thread: main.

import { z } from 'zod';
import type { OptionShape } from '../../core/option-schema.ts';
import { allProviders } from '../../providers/providers.ts';
import { optionSchemas } from './schema-values.ts';

/** Options of each provider as validated, by its name. */
type ProvidersConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Builds the schema for the registered providers. */
export function providersSchema() {
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
