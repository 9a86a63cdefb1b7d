// The contract of the process log, for all code that logs. Implemented in logging/process-log.ts. Thread: both.

/** From verbose to terse: a level includes those after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Form of a line: `auto` is `human` on a terminal and `json` elsewhere. */
export const LOG_FORMATS = ['auto', 'human', 'json'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * Each call writes one line. `fields` are plain data or errors, for machines; `text` is a sentence for the operator:
 * subject, state, cause, next step.
 */
export interface Logger {
  /** Whether debug lines are written. Hot paths check it before they prepare one. */
  readonly isDebugEnabled: boolean;
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
