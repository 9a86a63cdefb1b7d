// Value types of the schema: durations, sizes, counts, names, texts. Thread: main.
// Each carries a description of its accepted values (`expects`) and an example, for messages and the reference page.

import { z } from 'zod';
import { parseCidr } from '../../core/cidr.ts';
import type { OptionSchemas } from '../../core/option-schema.ts';
import { parseBindAddress } from '../values/bind-address.ts';
import { parseDuration } from '../values/duration.ts';
import { isHost } from '../../net/host-name.ts';
import { foreignVariable } from '../values/foreign-variable.ts';
import type { TemplateForm } from '../../core/template.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { parseTemplate } from '../values/template-text.ts';
import { withBraces } from '../yaml/environment.ts';
import { parsePercent } from '../values/quantity.ts';
import { parseSize } from '../values/quantity.ts';

/** Metadata of a schema besides its description. */
export interface ValueMeta {
  /** Accepted values: "must be ..." in messages, and the type column of the reference. */
  readonly expects?: string;
  /** A value in YAML notation. */
  readonly example?: string;
  /** Whether the value is secret: messages, differences and reports omit it. */
  readonly isSecret?: boolean;
  /** JSON Schema pattern for editors; the parser of the text is authoritative. */
  readonly pattern?: string;
  /** Advice for the value 0, if people expect it to have a special meaning. */
  readonly insteadOfZero?: string;
}

/** A text that `parse` converts to a value; the message of `parse` is reported on failure. */
export function parsedText<Value>(parse: (text: string) => Parsed<Value>, meta: ValueMeta) {
  const schema = z.string().transform((text, context): Value => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    const variable = meta.isSecret === true ? undefined : withBraces(text);
    const straight = meta.isSecret === true ? undefined : withoutTypographicQuotes(text);
    const hint = hintOf(variable, straight);
    const params = { code: 'FL2006', suggestion: straight ?? parsed.suggestion ?? variable };
    context.issues.push({ code: 'custom', message: parsed.message + hint, input: text, params });
    return z.NEVER;
  });
  return schema.meta({ ...meta });
}

/** A text in typographic quotes, which a word processor writes, in the quotes of YAML; undefined for others. */
function withoutTypographicQuotes(text: string): string | undefined {
  const content = /^[\u2018\u201a\u201c\u201e](.*)[\u2018\u2019\u201c\u201d]$/.exec(text)?.[1];
  return content === undefined ? undefined : JSON.stringify(content);
}

function hintOf(variable: string | undefined, straight: string | undefined): string {
  if (straight !== undefined) return `; its quotes are typographic: write ${straight}`;
  return variable === undefined ? '' : `; an environment variable is written ${variable}`;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Whether `none` is allowed; its value is 0. */
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
    return { ok: false, message: `${quoted(text)} is out of range: must be ${limits}${none}` };
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

/** A size within bounds, which are given in YAML notation. */
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

/** A percentage from 0% to 100%. */
export function percent(example: string) {
  return parsedText(within(parsePercent, { min: 0, max: 100 }, '0% to 100%'), {
    expects: 'a percentage from 0% to 100%',
    example,
    pattern: patternOf('%', {}),
  });
}

/** An integer within bounds. */
export function count(min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ expects: `a whole number from ${min} to ${max}` });
}

/** A number within bounds. */
export function factor(min: number, max: number, example: string) {
  return z
    .number()
    .min(min)
    .max(max)
    .meta({ expects: `a number from ${min} to ${max}`, example });
}

/** An integer from 1 to `max`, or `none`, whose value is 0. */
export function countOrNone(max: number) {
  const either = z.union([z.literal('none'), z.int().min(1).max(max)]);
  return either
    .transform((value) => (value === 'none' ? 0 : value))
    .meta({ expects: `a whole number from 1 to ${max}, or none` });
}

/** A single value or a list; the result is a list. */
export function oneOrMany<Item extends z.ZodType>(item: Item) {
  const { expects = 'a value', example } = (z.globalRegistry.get(item) ?? {}) as ValueMeta;
  return z
    .union([item, z.array(item).min(1)])
    .transform((given): z.output<Item>[] =>
      Array.isArray(given) ? (given as z.output<Item>[]) : [given as z.output<Item>],
    )
    .meta({ expects: `${expects}, or a list of them`, example });
}

/** A name of a listener, route or upstream. Safe in URLs, metric labels and logs. */
export function name() {
  return parsedText(
    (text) => {
      if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(text)) return { ok: true, value: text };
      const rule =
        'names begin with a letter or digit and contain letters, digits, "-", "_" and ".", at most 63 characters';
      const isUrl = /^[a-z]+:\/\//i.test(text);
      const remedy = isUrl
        ? `; write the URL in upstreams: { app: { endpoints: [${text}] } }, and its name app here`
        : '';
      return { ok: false, message: `${quoted(text)} is not a valid name: ${rule}${remedy}` };
    },
    { expects: 'a name', example: 'web' },
  );
}

const LEAST_SECRET = 16;

/** A secret. Messages never show it. */
export function secretText(example: string) {
  return parsedText(
    (text) => {
      if (text.length >= LEAST_SECRET) return { ok: true, value: text };
      const advice = 'generate one with openssl rand -base64 24';
      const message = `a secret needs at least ${LEAST_SECRET} characters, this one has ${text.length}: ${advice}`;
      return { ok: false, message };
    },
    { expects: `text of at least ${LEAST_SECRET} characters`, example, isSecret: true },
  );
}

/** A file path, relative to the directory of the configuration file. */
export function filePath(example: string) {
  return parsedText(
    (text) => {
      if (text !== '' && !text.includes('\0')) return { ok: true, value: text };
      return { ok: false, message: 'the file path is empty, or contains a NUL character' };
    },
    { expects: 'a file path', example },
  );
}

export function bindAddress() {
  const expects = 'an address such as 0.0.0.0:8080, [::]:443, :8080, unix:/path or fd:3';
  return parsedText(parseBindAddress, { expects, example: '0.0.0.0:8080' });
}

/** An address block. */
export function cidr() {
  return parsedText(
    (text) => {
      if (parseCidr(text) !== null) return { ok: true, value: text };
      const message = `${quoted(text)} is not an address block: write 10.0.0.0/8, fd00::/8 or a single address`;
      return { ok: false, message };
    },
    { expects: 'an address block such as 10.0.0.0/8', example: '10.0.0.0/8' },
  );
}

/** A host name or IP address; the result is lower case. */
export function host() {
  return parsedText(
    (text) => {
      if (isHost(text)) return { ok: true, value: text.toLowerCase() };
      return { ok: false, message: `${quoted(text)} is not a host name or IP address` };
    },
    { expects: 'a host name', example: 'app.example.com' },
  );
}

/** A text that labels something: printable, and short enough for a metric or a table. */
export function label(example: string) {
  return parsedText(
    (text) => {
      if (/^[^\p{Cc}\p{Zl}\p{Zp}]{1,128}$/u.test(text) && text === text.trim()) return { ok: true, value: text };
      return { ok: false, message: `${quoted(text)} is not a label: 1 to 128 printable characters are allowed` };
    },
    { expects: 'a label', example },
  );
}

/** A token (RFC 9110 section 5.6.2): field names and methods. */
export function token(expects: string, example: string) {
  return parsedText(
    (text) => {
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) return { ok: true, value: text };
      return { ok: false, message: `${quoted(text)} is not ${expects}: it contains a character that is not allowed` };
    },
    { expects, example },
  );
}

/** A field value. CR, LF and NUL are refused: they would allow response splitting (RFC 9110 section 5.5). */
export function fieldValue() {
  return parsedText(
    (text) => {
      const variable = foreignVariable(text);
      if (variable !== null) {
        const rule = 'values are fixed texts; the address, host and scheme of the client are in X-Forwarded-* already';
        return { ok: false, message: `${quoted(text)}: ${variable} would be sent literally: ${rule}` };
      }
      if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text) && text === text.trim()) return { ok: true, value: text };
      const rule = 'line breaks, control characters and leading or trailing spaces are not allowed';
      return { ok: false, message: `${quoted(text)} is not a valid field value: ${rule}` };
    },
    { expects: 'a field value', example: 'value' },
  );
}

/** A text with values in braces. Checks its form; `CompileContext.template` parses it, where the known values are known. */
export function template(form: TemplateForm, meta: ValueMeta) {
  const schema = z.string().transform((text, context): string => {
    const parsed = parseTemplate(text, { form, place: 'reply', environment: null });
    for (const { code, message, mark, suggestion } of parsed.ok ? [] : parsed.faults) {
      context.issues.push({ code: 'custom', message, input: text, params: { code, mark, suggestion } });
    }
    return parsed.ok ? text : z.NEVER;
  });
  return schema.meta({ ...meta });
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
  template,
  secretText,
  filePath,
  cidr,
  host,
  text: parsedText,
};
