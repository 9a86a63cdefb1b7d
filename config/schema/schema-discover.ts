// Schema of `discover`: the sources of an upstream's endpoints, and the guard. Thread: main.

import { z } from 'zod';
import type { OptionShape } from '../../core/option-schema.ts';
import { allSources } from '../../discovery/sources.ts';
import { duration, optionSchemas, percent } from './schema-values.ts';

const guard = z
  .strictObject({
    maxRemovedPercent: percent('50%').describe(
      'A set without more than this share of the endpoints of the one before is held: the one before stays in use.',
    ),
    hold: duration({ orNone: true })
      .prefault('5m')
      .describe('Time after which such a set is followed nevertheless; `none` for never.'),
  })
  .meta({ expects: 'a mapping with maxRemovedPercent', example: '{ maxRemovedPercent: 50% }' })
  .describe('Protection against sets that shrink suddenly. If absent, every set is followed.')
  .optional();

/** Options of one source as validated. */
type SourceConfig = Readonly<Record<string, unknown>>;

/** `discover` as validated: options by name of the source, and the guard. */
export interface DiscoverConfig {
  readonly guard: { readonly maxRemovedPercent: number; readonly hold: number } | null;
  readonly sources: Readonly<Record<string, SourceConfig>>;
}

/** Builds the schema for the registered sources. */
export function discoverSchema() {
  const sources = allSources();
  const shape: Record<string, z.ZodType> = {};
  for (const { name, options, summary, example } of sources) {
    shape[name] = z
      .strictObject(options(optionSchemas) as OptionShape)
      .meta({ expects: `a mapping such as ${example}`, example })
      .describe(summary)
      .optional();
  }
  const names = sources.map(({ name }) => name).join(', ');
  const [first] = sources;
  const example = `{ ${first!.name}: ${first!.example} }`;
  return z
    .strictObject({ ...shape, guard })
    .refine((given) => sources.some(({ name }) => given[name as keyof typeof given] !== undefined), {
      params: { code: 'FL2002' },
      message: `"discover" needs a source: ${names}`,
    })
    .transform(({ guard: given = null, ...others }): DiscoverConfig => {
      const sources = Object.entries(others).filter(([, options]) => options !== undefined);
      return { guard: given, sources: Object.fromEntries(sources) as Record<string, SourceConfig> };
    })
    .meta({ expects: `a mapping with a source: ${names}`, example })
    .describe('Sources of endpoints, which change while Fairlead runs. Several are united.')
    .optional();
}
