// The process log: pino, JSON lines on standard error. Main writes them; workers send theirs to main. Thread: both.

import { pino } from 'pino';
import type { MessageToMain } from '../core/messages.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import { systemTimers, type Timers } from '../core/timers.ts';
import { LogDestination } from './destination/log-destination.ts';

export type LogLevel = Snapshot['log']['level'];

/** What code that logs is given. `fields` are plain data or errors; `text` is a fixed sentence without values. */
export interface ProcessLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Main's process log. */
export interface MainLog extends ProcessLog {
  /** Changes what is logged, after a reload. */
  setLevel(level: LogLevel): void;
  /** Writes what is left before it returns: when the process is about to end. */
  flushNow(): void;
}

export interface MainLogOptions {
  readonly level: LogLevel;
  readonly timers?: Timers;
  /** 'stderr' unless told. */
  readonly output?: string;
}

type LogMessage = Extract<MessageToMain, { kind: 'log' }>;

/** Opens the process log. Lines lost to a broken or stuck standard error are lost silently: there is no other place. */
export function openMainLog(options: MainLogOptions): MainLog {
  const destination = new LogDestination({
    output: options.output ?? 'stderr',
    timers: options.timers ?? systemTimers,
    onTrouble: () => undefined,
    flushMs: 0,
  });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'text',
      formatters: { level: (label) => ({ level: label }) },
      // pino's own would take what plainFields made of an error for an error, and drop its cause.
      serializers: { err: (value: unknown) => value },
    },
    { write: (line: string) => destination.append(withoutControls(line)) },
  );
  return {
    debug: (fields, text) => logger.debug(plainFields(fields), text),
    info: (fields, text) => logger.info(plainFields(fields), text),
    warn: (fields, text) => logger.warn(plainFields(fields), text),
    error: (fields, text) => logger.error(plainFields(fields), text),
    setLevel: (level) => {
      logger.level = level;
    },
    flushNow: () => destination.flushNow(),
  };
}

/** A worker's process log: sends each line to main. Debug lines stay where they are: they'd cost a message each. */
export function forwardingLog(worker: number, post: (message: LogMessage) => void): ProcessLog {
  const send = (level: LogMessage['level'], fields: object, text: string) =>
    post({ kind: 'log', level, fields: { worker, ...plainFields(fields) }, text });
  return {
    debug: () => undefined,
    info: (fields, text) => send('info', fields, text),
    warn: (fields, text) => send('warn', fields, text),
    error: (fields, text) => send('error', fields, text),
  };
}

/** Writes what a worker has sent. */
export function logMessage(log: ProcessLog, message: LogMessage): void {
  log[message.level](message.fields, message.text);
}

/** Nested causes and objects are followed so far. */
const MAX_DEPTH = 4;

function plainFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value, MAX_DEPTH)]));
}

/** What can be cloned and written as JSON: errors by their parts; what neither can say (sockets, functions) by kind. */
function plainValue(value: unknown, depth: number = MAX_DEPTH): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object') return value === undefined ? undefined : typeof value;
  if (depth === 0) return '...';
  if (value instanceof Error) return plainError(value, depth - 1);
  if (Array.isArray(value)) return value.map((item) => plainValue(item, depth - 1));
  if (Object.getPrototypeOf(value) === Object.prototype) return plainRecord(value, depth - 1);
  return value.constructor?.name ?? 'object';
}

function plainRecord(value: object, depth: number): object {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainValue(item, depth)]));
}

function plainError(error: Error, depth: number): object {
  const { code } = error as NodeJS.ErrnoException;
  const cause = error.cause === undefined ? {} : { cause: plainValue(error.cause, depth) };
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    ...cause,
  };
}

/** JSON escapes controls below 32 alone; a terminal obeys those from 127 to 159 too (an escape sequence in a log). */
function withoutControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
