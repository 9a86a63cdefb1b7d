// A line of the process log for people at a terminal: time, level, sentence, and the error behind it. Pure.
// Thread: both.

import { styleText } from 'node:util';
import type { LogLevel } from '../core/log.ts';

/** Text in the style of its level or part; without colours, the text itself. */
export type Painter = (part: LogLevel | 'faint', text: string) => string;

export interface HumanEntry {
  readonly level: LogLevel;
  readonly fields: object;
  /** The sentence. */
  readonly text: string;
  readonly at: Date;
}

const STYLES = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red', faint: 'dim' } as const;
/** Width of the longest level. */
const LEVEL_WIDTH = 5;

/** Respects NO_COLOR, FORCE_COLOR and the kind of stream at each call. */
export function painterFor(stream: NodeJS.WriteStream): Painter {
  return (part, text) => styleText(STYLES[part], text, { stream });
}

/** `12:30:05.120 WARN  endpoint app/10.0.0.1:3000 is down: connection refused`, in local time, with a line feed. */
export function humanLine({ level, fields, text, at }: HumanEntry, paint: Painter): string {
  const time = paint('faint', timeOf(at));
  const name = paint(level, level.toUpperCase().padEnd(LEVEL_WIDTH));
  const sentence = withoutControls(text);
  const cause = withoutControls(causeOf(fields, text));
  const { worker } = fields as { worker?: unknown };
  const where = typeof worker === 'number' ? paint('faint', ` [worker ${worker}]`) : '';
  const list = listOf(fields, text).map((one) => `${paint('faint', `  ${withoutControls(one)}`)}\n`);
  return `${time} ${name} ${sentence}${cause === '' ? '' : `: ${cause}`}${where}\n${list.join('')}`;
}

function timeOf(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}

/** Message of the error in the fields, unless the sentence contains it already; workers' errors are plain objects. */
function causeOf(fields: object, text: string): string {
  const { err, error } = fields as { err?: unknown; error?: unknown };
  const found = typeof err === 'object' && err !== null ? (err as { message?: unknown }).message : error;
  return typeof found === 'string' && !text.includes(found) ? found : '';
}

/** Changes of a reload and problems of a configuration that the sentence doesn't contain: a line for each. */
function listOf(fields: object, text: string): string[] {
  const { problems, changes } = fields as { problems?: unknown; changes?: unknown };
  const all: readonly unknown[] = [problems, changes].flat();
  return all.filter((one): one is string => typeof one === 'string' && !text.includes(one));
}

/** Escape sequences and line breaks in names and causes must not control the terminal: terminal injection. */
function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
