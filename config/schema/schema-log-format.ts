// Schema of `accessLog.format`: the format and its options, from the table of log formats. Thread: main.

import { z } from 'zod';
import { allLogFormats } from '../../logging/access/log-formats.ts';
import { optionSchemas } from './schema-values.ts';

/** A format's name, and its options by theirs. */
export type LogFormatConfig = { readonly name: string } & Readonly<Record<string, unknown>>;

/** Builds the schema for the formats that are registered now. The mapping is for formats that declare options. */
export function logFormatSchema(): z.ZodType<LogFormatConfig, string | LogFormatConfig> {
  const formats = allLogFormats().map(({ name, options }) => ({ name, shape: options(optionSchemas) }));
  const names = formats.map(({ name }) => name);
  const form = ({ name, shape }: (typeof formats)[number]) => z.strictObject({ name: z.literal(name), ...shape });
  const byName = z.enum(names).transform((name): LogFormatConfig => {
    return form(formats.find((format) => format.name === name)!).parse({ name });
  });
  const example = 'json';
  const [first, ...others] = formats.filter(({ shape }) => Object.keys(shape).length > 0).map(form);
  if (first === undefined) return byName.meta({ expects: `one of ${names.join(', ')}`, example });
  const mapping = z.discriminatedUnion('name', [first, ...others]);
  return z.union([byName, mapping]).meta({ expects: `${names.join(', ')}, or a mapping with name`, example });
}
