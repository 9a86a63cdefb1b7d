// Chosen fields of a log format: the option `fields`, the redaction list, and the settings made of them. Thread: both.

import type { OptionSchemas } from '../../core/option-schema.ts';
import { capturedFor, fieldBehind, type LogSource, type LogValue, logReader, parseLogSource } from './log-sources.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';

/** Credentials that no log has by accident. */
const REDACTED = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'];

/** In place of a redacted value. */
const HIDDEN = '<hidden>';

/** One field of the log: its key in the line, and its value. */
export interface LogField extends LogSource {
  readonly key: string;
  /** Whether the value is replaced: only its presence is logged. */
  readonly isHidden: boolean;
}

/** Options of formats whose fields can be chosen. */
export function fieldOptions({ z, text, fieldName }: OptionSchemas) {
  const source = text(parseLogSource, { expects: 'a value of an exchange', example: 'header.x-tenant' });
  const key = z.string().regex(/^[\w.-]{1,64}$/, 'keys have letters, digits, "_", "-" and ".", at most 64 characters');
  return {
    fields: z
      .union([z.array(source).min(1), z.record(key, source.describe('The value of the key.'))])
      .meta({
        expects: 'a list of values, or a mapping of keys to values',
        example: '{ t: time, code: status, tenant: header.x-tenant }',
      })
      .describe(
        'Fields of a line in their order: values by their names, or keys of your choice with values. All values are in docs/logging.md; `header.NAME`, `cookie.NAME`, `responseHeader.NAME` and `responseCookie.NAME` are those of a message.',
      )
      .optional(),
    redact: z
      .array(fieldName())
      .default(REDACTED)
      .describe(
        'Header fields of requests and responses whose values are replaced by `<hidden>`. A list replaces the default one.',
      ),
  };
}

type SourcesByKey = readonly LogSource[] | Readonly<Record<string, LogSource>>;

/** Compiles the options; null for the default fields. */
export function compileFields(fields: SourcesByKey | undefined, redact: readonly string[]): readonly LogField[] | null {
  if (fields === undefined) return null;
  const hidden = new Set(redact.map((name) => name.toLowerCase()));
  const named: (readonly [string, LogSource])[] = Array.isArray(fields)
    ? (fields as readonly LogSource[]).map((source) => [keyOf(source), source])
    : Object.entries(fields as Readonly<Record<string, LogSource>>);
  return named.map(([key, source]) => ({ key, ...source, isHidden: hidden.has(fieldBehind(source) ?? '') }));
}

function keyOf({ name, argument }: LogSource): string {
  return argument === '' ? name : `${name}.${argument}`;
}

/** The response fields that must be kept for a line. */
export function capturesOf(fields: readonly LogField[] | null): readonly string[] {
  return [...new Set((fields ?? []).map(capturedFor).filter((name) => name !== null))];
}

/** Builds the reader of a field. */
export function fieldReader(field: LogField): (record: ExchangeRecord) => LogValue {
  const read = logReader(field);
  return field.isHidden ? (record) => (read(record) === null ? null : HIDDEN) : read;
}
