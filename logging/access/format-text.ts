// The access log as text: `key=value` pairs with spaces between them (logfmt). Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { defineLogFormat, type FormatRecord } from './format-descriptor.ts';
import { cutTo, jsonString, MAX_TARGET } from './log-escape.ts';
import { capturesOf, compileFields, fieldOptions, fieldReader, type LogField } from './log-fields.ts';
import type { LogValue } from './log-sources.ts';

const DEFAULT = [
  'time',
  'client',
  'method',
  'host',
  'target',
  'status',
  'bytesSent',
  'totalMs',
  'route',
  'endpoint',
  'termination',
];

/** A value that ends at a space needs no quotes. */
const BARE = /^[!#-<>-~]+$/;

function written(value: LogValue): string {
  if (value === null) return '-';
  if (typeof value !== 'string') return String(value);
  const text = cutTo(MAX_TARGET, value);
  return BARE.test(text) && text !== '-' ? text : jsonString(text);
}

function build(fields: readonly LogField[]): FormatRecord {
  const parts = fields.map((field, at) => ({ start: `${at === 0 ? '' : ' '}${field.key}=`, read: fieldReader(field) }));
  return (record: ExchangeRecord) => {
    let line = '';
    for (const { start, read } of parts) line += start + written(read(record));
    return `${line}\n`;
  };
}

export const text = defineLogFormat({
  name: 'text',
  options: fieldOptions,
  compile: ({ fields, redact }) => ({
    fields: compileFields(fields ?? DEFAULT.map((name) => ({ name, argument: '' })), redact)!,
  }),
  captures: ({ fields }) => capturesOf(fields),
  build: ({ fields }) => build(fields),
});
