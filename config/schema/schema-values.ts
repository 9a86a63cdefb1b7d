// The kinds of value that the schema is made of: durations, sizes, counts, names, texts. Thread: main.
// Each carries what it takes in words (`expects`) and an example, for error messages and the reference page.

import { z } from 'zod';
import { parseCidr } from '../../core/cidr.ts';
import type { OptionSchemas } from '../../core/option-schema.ts';
import { parseBindAddress } from '../values/bind-address.ts';
import { parseDuration } from '../values/duration.ts';
import { isHost } from '../values/host-name.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { parsePercent } from '../values/quantity.ts';
import { parseSize } from '../values/quantity.ts';

/** What a part of the schema says about itself, besides its description. */
export interface ValueMeta {
  /** "takes ..." in messages and the type column of the reference. */
  readonly expects?: string;
  /** A value as it is written in YAML. */
  readonly example?: string;
  /** Whether nobody may see the value: messages, differences and reports leave it out. */
  readonly isSecret?: boolean;
  /** Regular expression of JSON Schema for editors; the parser of the text is the judge. */
  readonly pattern?: string;
  /** What to do instead of writing 0, where people expect that to mean something. */
  readonly insteadOfZero?: string;
}

/** A text that `parse` turns into a value; what `parse` says against it becomes the message. */
export function parsedText<Value>(parse: (text: string) => Parsed<Value>, meta: ValueMeta) {
  const schema = z.string().transform((text, context): Value => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    const params = { code: 'FL2006', suggestion: parsed.suggestion };
    context.issues.push({ code: 'custom', message: parsed.message, input: text, params });
    return z.NEVER;
  });
  return schema.meta({ ...meta });
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Whether `none` is allowed, which gives 0. */
  readonly orNone?: boolean;
}

function within(
  parse: (text: string) => Parsed<number>,
  bounds: Bounds,
  limits: string,
): (text: string) => Parsed<number> {
  return (text) => {
    if (text === 'none' && bounds.orNone === true) return { ok: true, value: 0 };
    const parsed = parse(text);
    if (!parsed.ok || (parsed.value >= bounds.min && parsed.value <= bounds.max)) return parsed;
    const none = bounds.orNone === true ? ', or none' : '';
    return { ok: false, message: `${quoted(text)} is out of range: allowed is ${limits}${none}` };
  };
}

const LONGEST_MS = 2_147_483_647;

/** A duration of at least 1ms. */
export function duration(options: { readonly orNone?: boolean } = {}) {
  const expects = `a duration such as 2s or 500ms${options.orNone === true ? ', or none' : ''}`;
  const limits = '1ms to 24d';
  return parsedText(within(parseDuration, { min: 1, max: LONGEST_MS, ...options }, limits), {
    expects,
    example: '2s',
    pattern: patternOf('(ms|s|m|h|d)', options),
  });
}

/** A size between two sizes, which are given as they are written. */
export function size(least: string, most: string, options: { readonly orNone?: boolean } = {}) {
  const bounds = { min: bytesOf(least), max: bytesOf(most), ...options };
  const expects = `a size from ${least} to ${most}${options.orNone === true ? ', or none' : ''}`;
  return parsedText(within(parseSize, bounds, `${least} to ${most}`), {
    expects,
    example: '64KiB',
    pattern: patternOf('([KMGT]i)?B', options),
  });
}

function patternOf(unit: string, { orNone = false }: { readonly orNone?: boolean }): string {
  const text = `^\\d+(\\.\\d+)?${unit}$`;
  return orNone ? `${text}|^none$` : text;
}

function bytesOf(text: string): number {
  const parsed = parseSize(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** A share from 0% to 100%; gives percent. */
export function percent(example: string) {
  return parsedText(within(parsePercent, { min: 0, max: 100 }, '0% to 100%'), {
    expects: 'a share from 0% to 100%',
    example,
    pattern: patternOf('%', {}),
  });
}

/** A whole number between two numbers. */
export function count(min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ expects: `a whole number from ${min} to ${max}` });
}

/** A number between two numbers. */
export function factor(min: number, max: number, example: string) {
  return z
    .number()
    .min(min)
    .max(max)
    .meta({ expects: `a number from ${min} to ${max}`, example });
}

/** A whole number between two numbers, or `none`, which gives 0. */
export function countOrNone(max: number) {
  const either = z.union([z.literal('none'), z.int().min(1).max(max)]);
  return either
    .transform((value) => (value === 'none' ? 0 : value))
    .meta({ expects: `a whole number from 1 to ${max}, or none` });
}

/** One value or a list of them; gives a list. */
export function oneOrMany<Item extends z.ZodType>(item: Item) {
  const { expects = 'a value', example } = (z.globalRegistry.get(item) ?? {}) as ValueMeta;
  return z
    .union([item, z.array(item).min(1)])
    .transform((given): z.output<Item>[] =>
      Array.isArray(given) ? (given as z.output<Item>[]) : [given as z.output<Item>],
    )
    .meta({ expects: `${expects}, or a list of such`, example });
}

/** A name of our own making: of listeners, routes and upstreams. Safe in URLs, labels and logs. */
export function name() {
  return parsedText(
    (text) => {
      if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(text)) return { ok: true, value: text };
      const rule =
        'names begin with a letter or digit and go on with letters, digits, "-", "_" or ".", 63 in all at most';
      return { ok: false, message: `${quoted(text)} is not a name: ${rule}` };
    },
    { expects: 'a name', example: 'web' },
  );
}

const LEAST_SECRET = 16;

/** A text that nobody else may know. No message shows it. */
export function secretText(example: string) {
  return parsedText(
    (text) => {
      if (text.length >= LEAST_SECRET) return { ok: true, value: text };
      const advice = 'what is short can be guessed; openssl rand -base64 24 makes a good one';
      const message = `a secret needs ${LEAST_SECRET} characters, and this one has ${text.length}: ${advice}`;
      return { ok: false, message };
    },
    { expects: `a text of at least ${LEAST_SECRET} characters`, example, isSecret: true },
  );
}

/** A path of the file system, relative to the directory of the configuration file. */
export function filePath(example: string) {
  return parsedText(
    (text) => {
      if (text !== '' && !text.includes('\0')) return { ok: true, value: text };
      return { ok: false, message: 'the path of the file is empty' };
    },
    { expects: 'the path of a file', example },
  );
}

export function bindAddress() {
  const expects = 'an address such as 0.0.0.0:8080, [::]:443, :8080, unix:/path or fd:3';
  return parsedText(parseBindAddress, { expects, example: '0.0.0.0:8080' });
}

/** A block of addresses. */
export function cidr() {
  return parsedText(
    (text) => {
      if (parseCidr(text) !== null) return { ok: true, value: text };
      const message = `${quoted(text)} is not a block of addresses: write 10.0.0.0/8, fd00::/8 or one address`;
      return { ok: false, message };
    },
    { expects: 'a block of addresses such as 10.0.0.0/8', example: '10.0.0.0/8' },
  );
}

/** A host name or address, lower case. */
export function host() {
  return parsedText(
    (text) => {
      if (isHost(text)) return { ok: true, value: text.toLowerCase() };
      return { ok: false, message: `${quoted(text)} is not a host name or address` };
    },
    { expects: 'a host name', example: 'app.example.com' },
  );
}

/** Token of RFC 9110 section 5.6.2: field names and methods. */
export function token(expects: string, example: string) {
  return parsedText(
    (text) => {
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) return { ok: true, value: text };
      return { ok: false, message: `${quoted(text)} is not ${expects}: a space or this sign is not allowed in it` };
    },
    { expects, example },
  );
}

/** Value of a header field. CR, LF and NUL would let a value end its line: response splitting (RFC 9110 section 5.5). */
export function fieldValue() {
  return parsedText(
    (text) => {
      if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text === text.trim()) return { ok: true, value: text };
      const rule = 'no line breaks, no control characters and no space at either end';
      return { ok: false, message: `${quoted(text)} is not the value of a header field: ${rule}` };
    },
    { expects: 'the value of a header field', example: 'value' },
  );
}

/** The value types for options that are declared outside of the configuration: by balancers, checkers and plugins. */
export const optionSchemas: OptionSchemas = {
  z,
  duration,
  size,
  percent,
  count,
  factor,
  oneOrMany,
  name,
  token,
  fieldName: () => token('the name of a header field', 'x-team'),
  fieldValue,
  secretText,
  filePath,
  cidr,
  host,
  text: parsedText,
};
