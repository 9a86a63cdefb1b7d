// Process logs for tests. Thread: both.

import type { Logger, LogLevel } from '../../core/log.ts';
import { openFunctionLog, type MainLogger } from '../../logging/process-log.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly fields: Record<string, unknown>;
  readonly text: string;
}

/** Discards every line. */
export const SILENT_LOG: Logger = recordingLog([], 'error');

/** Appends every line of the level and above to `lines`. */
export function recordingLog(lines: LogLine[], level: LogLevel = 'debug'): MainLogger {
  const log = openFunctionLog((lineLevel, fields, text) => {
    lines.push({ level: lineLevel, fields: { ...fields }, text });
  });
  log.setLevel(level);
  return log;
}
