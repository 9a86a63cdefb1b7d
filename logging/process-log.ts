// The process log on standard error: JSON lines by pino, or lines for people. Main writes them; workers post theirs to main.
// Thread: both.

import { pino } from 'pino';
import { LOG_LEVELS, type LogFormat, type Logger, type LogLevel } from '../core/log.ts';
import type { MessageToMain } from '../core/messages.ts';
import { systemTimers, type Timers } from '../core/timers.ts';
import { LogDestination } from './destination/log-destination.ts';
import { humanLine, painterFor } from './human-line.ts';

/** Writes a line whose level is enabled. */
export type WriteLine = (level: LogLevel, fields: object, text: string) => void;

/** Passes lines of an enabled level to a function. */
export class LevelLogger implements Logger {
  readonly #write: WriteLine;
  #rank = 0;
  /** A plain property: exchanges read it once each. */
  isDebugEnabled = true;

  constructor(level: LogLevel, write: WriteLine) {
    this.#write = write;
    this.setLevel(level);
  }

  /** Takes effect with the next line: a reload may change the level. */
  setLevel(level: LogLevel): void {
    this.#rank = LOG_LEVELS.indexOf(level);
    this.isDebugEnabled = level === 'debug';
  }

  debug(fields: object, text: string): void {
    this.write('debug', fields, text);
  }

  info(fields: object, text: string): void {
    this.write('info', fields, text);
  }

  warn(fields: object, text: string): void {
    this.write('warn', fields, text);
  }

  error(fields: object, text: string): void {
    this.write('error', fields, text);
  }

  write(level: LogLevel, fields: object, text: string): void {
    if (LOG_LEVELS.indexOf(level) >= this.#rank) this.#write(level, fields, text);
  }
}

/** The process log of the main thread. */
export interface MainLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Takes effect with the next line, also of workers. */
  setFormat(format: LogFormat): void;
  /** Writes a line that a worker posted. */
  write(level: LogLevel, fields: object, text: string): void;
  /** Lines lost to a broken or blocked standard error. */
  readonly lostLines: number;
  /** Writes buffered lines before it returns. Call it before the process exits. */
  flushNow(): void;
}

export interface MainLogOptions {
  readonly level: LogLevel;
  readonly timers?: Timers;
  /** A destination as of LogDestination; default: 'stderr'. */
  readonly output?: string;
  /** The stream whose terminal decides about `auto` and colours; default: standard error. */
  readonly stream?: NodeJS.WriteStream;
}

/** Opens the process log. Lines lost to a broken or blocked standard error are only counted: no other place could report them. */
export function openMainLog(options: MainLogOptions): MainLogger {
  const destination = new LogDestination({
    output: options.output ?? 'stderr',
    timers: options.timers ?? systemTimers,
    onTrouble: () => undefined,
    flushMs: 0,
  });
  const writer = pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'text',
      formatters: { level: (label) => ({ level: label }) },
      // pino's own serializer would treat the result of plainFields as an error and drop its cause.
      serializers: { err: (value: unknown) => value },
    },
    { write: (line: string) => destination.append(withoutControls(line)) },
  );
  const stream = options.stream ?? process.stderr;
  const paint = painterFor(stream);
  let isHuman = stream.isTTY;
  const logger = new LevelLogger(options.level, (level, fields, text) => {
    if (isHuman) destination.append(humanLine({ level, fields, text, at: new Date() }, paint));
    else writer[level](plainFields(fields), text);
  });
  const setFormat = (format: LogFormat): void => {
    isHuman = format === 'auto' ? stream.isTTY : format === 'human';
  };
  const flushNow = (): void => destination.flushNow();
  return Object.defineProperty(Object.assign(logger, { setFormat, flushNow, lostLines: 0 }), 'lostLines', {
    get: () => destination.droppedLines,
  });
}

/** Passes the lines of an embedding program's log to a function, which must not throw. */
export function openFunctionLog(write: WriteLine): MainLogger {
  return Object.assign(new LevelLogger('info', write), {
    setFormat: () => undefined,
    flushNow: () => undefined,
    lostLines: 0,
  });
}

/** A worker's process log: posts each line to main. At level debug each line costs a message. */
export function openWorkerLog(worker: number, level: LogLevel, post: (message: MessageToMain) => void): LevelLogger {
  return new LevelLogger(level, (lineLevel, fields, text) =>
    post({ kind: 'log', level: lineLevel, fields: { worker, ...plainFields(fields) }, text }),
  );
}

/** Deepest level of nested causes and objects that is written. */
const MAX_DEPTH = 4;

function plainFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value, MAX_DEPTH)]));
}

/** A value that can be cloned and written as JSON: errors as objects; sockets, functions and such as their type's name. */
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

/** JSON escapes only controls below 32. Terminals interpret those from 127 to 159 as well: escape-sequence injection. */
function withoutControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
