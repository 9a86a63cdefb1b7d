// Log format descriptor: name, options and code of one access log format. A new format is one file with a descriptor and
// one line in log-formats.ts. Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { OptionSchemas, OptionShape, OptionsOf } from '../../core/option-schema.ts';

/** Formats a finished exchange as one line of text. Called once per exchange, synchronously: keep it pure and fast. */
export type FormatRecord = (record: ExchangeRecord) => string;

/**
 * The definition of a log format. `Settings` is plain data (structured clone must accept it): it is compiled in the main
 * thread and sent to the workers.
 */
export interface LogFormatDefinition<Shape extends OptionShape, Settings extends object> {
  /** The word in the configuration: `format: NAME` or `format: { name: NAME, ...options }`. */
  readonly name: string;
  /** Declares the options beside `name`. */
  readonly options: (schemas: OptionSchemas) => Shape;
  /** Turns validated options into settings. Thread: main. */
  readonly compile: (options: OptionsOf<Shape>) => Settings;
  /** Names of the response fields that lines have, in lower case: they are kept until the exchange ends. */
  readonly captures?: (settings: Settings) => readonly string[];
  /** Builds the formatter of one worker; called again for each revision that changes the access log. Thread: worker. */
  readonly build: (settings: Settings) => FormatRecord;
}

/** A definition whose types are erased: what the table holds. Settings are those that its own `compile` returned. */
export type LogFormatDescriptor = LogFormatDefinition<OptionShape, object>;

/** Checks a definition's types and erases them. */
export function defineLogFormat<Shape extends OptionShape, Settings extends object>(
  definition: LogFormatDefinition<Shape, Settings>,
): LogFormatDescriptor {
  return definition as unknown as LogFormatDescriptor;
}

/** A format without options. */
export function plainFormat(name: string, format: FormatRecord): LogFormatDescriptor {
  return defineLogFormat({ name, options: () => ({}), compile: () => ({}), build: () => format });
}
