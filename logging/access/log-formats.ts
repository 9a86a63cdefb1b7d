// Table of access log formats. A new one is one file and one line here; a plugin's joins by `installLogFormat`. Thread: both.

import { DescriptorTable } from '../../core/descriptor-table.ts';
import type { AccessLogSnapshot } from '../../core/snapshot/snapshot.ts';
import { combined } from './format-combined.ts';
import type { FormatRecord, LogFormatDescriptor } from './format-descriptor.ts';
import { haproxy } from './format-haproxy.ts';
import { json } from './format-json.ts';
import { text } from './format-text.ts';
import { singleLine } from './log-escape.ts';

/** In the order in which the documentation lists them. */
const BUILT_IN: readonly LogFormatDescriptor[] = [json, haproxy, combined, text];

const table = new DescriptorTable<LogFormatDescriptor>('log format', BUILT_IN);

/** All formats, the built-in ones first. */
export function allLogFormats(): readonly LogFormatDescriptor[] {
  return table.all();
}

/**
 * Adds a format for the rest of the process. Call it in the main thread before the configuration is validated, and in
 * each worker before its access log is opened. Each of its lines is made one line of printable text (log injection).
 * @throws Error when the name is taken
 */
export function addLogFormat(descriptor: LogFormatDescriptor): void {
  table.add(guardOf(descriptor));
}

/** Adds a plugin's format in the same way, in place of an earlier one of that name. @throws Error for a built-in name */
export function installLogFormat(descriptor: LogFormatDescriptor): void {
  table.install(guardOf(descriptor));
}

/** Guarded descriptors by a plugin's own, so that installing one again changes nothing. */
const guards = new WeakMap<LogFormatDescriptor, LogFormatDescriptor>();

function guardOf(descriptor: LogFormatDescriptor): LogFormatDescriptor {
  let guard = guards.get(descriptor);
  if (guard === undefined) {
    const build = (settings: object): FormatRecord => {
      const format = descriptor.build(settings);
      return (record) => singleLine(format(record));
    };
    guards.set(descriptor, (guard = { ...descriptor, build }));
  }
  return guard;
}

/** Compiles the validated `accessLog.format`. */
export function compileLogFormat({
  name,
  ...options
}: { readonly name: string } & Readonly<Record<string, unknown>>): Pick<AccessLogSnapshot, 'format' | 'settings'> {
  return { format: name, settings: table.named(name).compile(options) };
}

/** The response fields that a format's lines have, in lower case. */
export function capturesOfFormat({
  format,
  settings,
}: Pick<AccessLogSnapshot, 'format' | 'settings'>): readonly string[] {
  return table.named(format).captures?.(settings) ?? [];
}

/** Builds the formatter that the settings name. */
export function buildLogFormat({ format, settings }: Pick<AccessLogSnapshot, 'format' | 'settings'>): FormatRecord {
  return table.named(format).build(settings);
}
