// Table of access log formats. A new one is one file and one line here; a plugin's joins by `addLogFormat`. Thread: both.

import type { AccessLogSnapshot } from '../../core/snapshot/snapshot.ts';
import { combined } from './format-combined.ts';
import type { FormatRecord, LogFormatDescriptor } from './format-descriptor.ts';
import { haproxy } from './format-haproxy.ts';
import { json } from './format-json.ts';
import { singleLine } from './log-escape.ts';

/** In the order in which the documentation lists them. */
const BUILT_IN: readonly LogFormatDescriptor[] = [json, haproxy, combined];

const byName = new Map(BUILT_IN.map((descriptor) => [descriptor.name, descriptor]));

/** All formats, the built-in ones first. */
export function allLogFormats(): readonly LogFormatDescriptor[] {
  return [...byName.values()];
}

/**
 * Adds a plugin's format for the rest of the process. Call it in the main thread before the configuration is validated,
 * and in each worker before its access log is opened. Each of its lines is made one line of printable text (log
 * injection).
 * @throws Error when the name is taken
 */
export function addLogFormat(descriptor: LogFormatDescriptor): void {
  if (byName.has(descriptor.name)) throw new Error(`a log format named ${descriptor.name} exists already`);
  const build = (settings: object): FormatRecord => {
    const format = descriptor.build(settings);
    return (record) => singleLine(format(record));
  };
  byName.set(descriptor.name, { ...descriptor, build });
}

/** Compiles the validated `accessLog.format`. */
export function compileLogFormat({
  name,
  ...options
}: { readonly name: string } & Readonly<Record<string, unknown>>): Pick<AccessLogSnapshot, 'format' | 'settings'> {
  return { format: name, settings: logFormatNamed(name).compile(options) };
}

/** Builds the formatter that the settings name. */
export function buildLogFormat({ format, settings }: Pick<AccessLogSnapshot, 'format' | 'settings'>): FormatRecord {
  return logFormatNamed(format).build(settings);
}

/** @throws Error when there is none: the configuration accepts registered names only. */
function logFormatNamed(name: string): LogFormatDescriptor {
  const descriptor = byName.get(name);
  if (descriptor === undefined) throw new Error(`no log format is named ${name}`);
  return descriptor;
}
