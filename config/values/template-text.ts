// Parses texts with values in braces: `{name}` is a value, `{{name}}` the text {name}; other braces are literal, so that
// JSON and CSS need no escapes. Thread: main.

import { quoted } from '../../core/option-schema.ts';
import type { Template, TemplateForm, TemplateValue } from '../../core/template.ts';
import { placesOf, type TemplatePlace, VALUE_NAMES, type ValueName } from '../../core/template-values.ts';
import { nearestName } from '../problems/nearest-name.ts';
import type { Environment } from '../yaml/environment.ts';
import { dollarVariable, ownValueFor } from './foreign-variable.ts';

export interface TemplateSource {
  readonly form: TemplateForm;
  readonly place: TemplatePlace;
  /** Null where only the form of the text is checked: variables are not looked up. */
  readonly environment: Environment | null;
}

/** A fault of a text: what it is, and the part of the text that is to blame. */
export interface TemplateFault {
  readonly code: 'FL1201' | 'FL2006' | 'FL2008';
  readonly message: string;
  readonly mark?: string;
  /** Offset of the mark in the text. */
  readonly at: number;
  readonly suggestion?: string;
}

export type TemplateOutcome =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly faults: readonly TemplateFault[] };

/** `${name}`, which is literal, `{{name}}`, `{{name}`, or `{name}`. */
const BRACES = /\$\{\w[\w.-]*\}|\{\{([A-Za-z][\w.-]*)\}\}|\{\{[A-Za-z][\w.-]*\}|\{([A-Za-z][\w.-]*)\}/g;

export function parseTemplate(text: string, source: TemplateSource): TemplateOutcome {
  const parts: (string | TemplateValue)[] = [];
  const faults: TemplateFault[] = [];
  const literal = (piece: string): void => {
    const last = parts.at(-1);
    if (piece === '') return;
    if (typeof last === 'string') parts[parts.length - 1] = last + piece;
    else parts.push(piece);
  };
  let end = 0;
  for (const match of text.matchAll(BRACES)) {
    literal(text.slice(end, match.index));
    end = match.index + match[0].length;
    const part = partOf(match, source);
    if (typeof part === 'string') literal(part);
    else if ('message' in part) faults.push(part);
    else parts.push(part);
  }
  literal(text.slice(end));
  faults.push(...literalFaults(text, parts, source));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, template: { form: source.form, text, parts } };
}

function partOf(match: RegExpExecArray, source: TemplateSource): string | TemplateValue | TemplateFault {
  const [mark, escaped, name] = match;
  if (escaped !== undefined) return `{${escaped}}`;
  if (mark.startsWith('$')) return mark;
  const fault = (code: TemplateFault['code'], message: string, suggestion?: string): TemplateFault => {
    return { code, message, mark, at: match.index, ...(suggestion !== undefined && { suggestion }) };
  };
  if (name === undefined) {
    return fault('FL2006', `${quoted(mark)} has one closing brace: write ${mark}} for the text ${mark.slice(1)}`);
  }
  if (name.startsWith('env.')) return fromEnvironment(name.slice('env.'.length), source, fault);
  const value = valueNamed(name);
  if (value === null) return unknown(name, source, fault);
  if (placesOf(value.name).includes(source.place)) return value;
  return fault('FL2008', `the value ${mark} is not known here: ${UNKNOWN_AT[source.place]}`);
}

type FaultOf = (code: TemplateFault['code'], message: string, suggestion?: string) => TemplateFault;

const UNKNOWN_AT: Readonly<Record<TemplatePlace, string>> = {
  answer: 'the route answers without an upstream',
  request: 'the endpoint is chosen later',
  attempt: 'it belongs to replies of Fairlead itself',
  reply: '',
};

function fromEnvironment(name: string, { form, environment }: TemplateSource, fault: FaultOf): string | TemplateFault {
  if (environment === null) return '';
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (value === undefined) return fault('FL1201', `the environment variable ${name} is not set`);
  if (form !== 'field' || isFieldText(value)) return value;
  return fault('FL2006', `the environment variable ${name} has line breaks or control characters`);
}

function valueNamed(name: string): TemplateValue | null {
  if ((VALUE_NAMES as readonly string[]).includes(name) && !name.endsWith('.')) {
    return { name: name as ValueName, argument: '' };
  }
  const prefix = (['header.', 'cookie.'] as const).find((one) => name.startsWith(one));
  if (prefix === undefined || name.length === prefix.length) return null;
  const argument = name.slice(prefix.length);
  return { name: prefix, argument: prefix === 'header.' ? argument.toLowerCase() : argument };
}

function unknown(name: string, { place }: TemplateSource, fault: FaultOf): TemplateFault {
  if (name === 'header.' || name === 'cookie.') {
    return fault('FL2008', `{${name}} has no name: write {${name}x-version}`);
  }
  const known = VALUE_NAMES.filter((one) => placesOf(one).includes(place));
  const names = known.filter((one) => !one.endsWith('.'));
  const nearest = nearestName(name, names);
  const suggestion = ownValueFor(`{${name}}`) ?? (nearest === undefined ? undefined : `{${nearest}}`);
  const escape = `{{${name}}} for the text {${name}}`;
  if (suggestion !== undefined) {
    return fault('FL2008', `{${name}} is not a value; did you mean ${suggestion}? Or write ${escape}`, suggestion);
  }
  const list = `${names.join(', ')}, header.NAME, cookie.NAME, env.NAME`;
  return fault('FL2008', `{${name}} is not a value: write ${escape}, or one of ${list}`);
}

/** Faults of the literal parts: variables of other programs, and what no field value may have. */
function literalFaults(
  text: string,
  parts: readonly (string | TemplateValue)[],
  { form }: TemplateSource,
): TemplateFault[] {
  if (form !== 'field' && form !== 'url') return [];
  const mark = dollarVariable(text);
  if (mark !== null) {
    const own = ownValueFor(mark);
    const advice = own === undefined ? 'values are written in braces, such as {host}' : `write ${own}`;
    const message = `${quoted(text)}: ${mark} would be sent literally: ${advice}`;
    return [{ code: 'FL2006', message, mark, at: text.indexOf(mark), ...(own !== undefined && { suggestion: own }) }];
  }
  const literals = parts.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  if (form === 'url' || (isFieldText(literals) && text === text.trim())) return [];
  const rule = 'line breaks, control characters and leading or trailing spaces are not allowed';
  return [{ code: 'FL2006', message: `${quoted(text)} is not a valid field value: ${rule}`, at: 0 }];
}

/** CR, LF and NUL would allow response splitting (RFC 9110 section 5.5). */
function isFieldText(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
