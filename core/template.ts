// Templates: texts with values in braces such as `https://{host}{uri}`. Parsed once when the configuration is loaded
// (config/values/template-text.ts), and rendered for each exchange by joining its parts: a rendered value is never parsed
// again. Each value is encoded for the form of the text, so that a client's bytes stay data. Thread: both.

import { type ReplyFacts, type TemplateFacts, type ValueName, valueReader } from './template-values.ts';

/**
 * Form of the text that a template makes, which decides how values are encoded. `field`: the value of a header field,
 * without control characters. `url`: a URL, percent-encoded. `html` and `json`: escaped for text in HTML, and inside of
 * quotes in JSON. `text`: unchanged.
 */
export type TemplateForm = 'field' | 'url' | 'html' | 'json' | 'text';

export interface TemplateValue {
  readonly name: ValueName;
  /** NAME of `header.NAME` (lower case) and `cookie.NAME`; '' for others. */
  readonly argument: string;
}

/** Plain data for a Snapshot. Neighbouring literals are one; {env.NAME} is a literal. */
export interface Template {
  readonly form: TemplateForm;
  /** As it is written, for display. */
  readonly text: string;
  readonly parts: readonly (string | TemplateValue)[];
}

/** @param reply the local reply that a page is rendered for */
export type TemplateRenderer = (facts: TemplateFacts, reply?: ReplyFacts) => string;

/** The text of a template without values; null where it has any. */
export function constantText({ parts }: Template): string | null {
  if (parts.length === 0) return '';
  const [first] = parts;
  return parts.length === 1 && typeof first === 'string' ? first : null;
}

/** Whether a template has one of these values. */
export function usesValue({ parts }: Template, names: readonly ValueName[]): boolean {
  return parts.some((part) => typeof part !== 'string' && names.includes(part.name));
}

/** Builds the renderer of a template, once per Runtime. Never throws for any request. */
export function templateRenderer(template: Template): TemplateRenderer {
  const constant = constantText(template);
  if (constant !== null) return () => constant;
  const encode = ENCODERS[template.form];
  const parts = template.parts.map((part): TemplateRenderer => {
    if (typeof part === 'string') return () => part;
    const read = valueReader(part.name, part.argument);
    // `*` (OPTIONS *) has no place in a URL.
    const isTarget = template.form === 'url' && (part.name === 'uri' || part.name === 'path');
    if (isTarget) return (facts) => encode(read(facts).replace(/^\*$/, '/'));
    return (facts, reply) => encode(read(facts, reply));
  });
  const join: TemplateRenderer = (facts, reply) => {
    let text = '';
    for (const part of parts) text += part(facts, reply);
    return text;
  };
  return template.form === 'field' ? (facts, reply) => join(facts, reply).trim() : join;
}

/** CR, LF and NUL would split a message (response splitting); other bytes outside of these are no field value. */
// oxlint-disable-next-line no-control-regex
const NOT_IN_FIELD = /[^\t\x20-\x7e\x80-\xff]/g;
/** Everything that RFC 3986 allows nowhere in a URI. A percent sign stays: paths are encoded already. */
const NOT_IN_URL = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]/g;
const HTML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const ENCODERS: Readonly<Record<TemplateForm, (value: string) => string>> = {
  field: (value) => value.replace(NOT_IN_FIELD, ''),
  url: (value) => value.replace(NOT_IN_URL, percentEncoded),
  html: (value) => value.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character]!),
  // Browsers read JSON inside of HTML, too: `<` could end a script there.
  json: (value) => JSON.stringify(value).slice(1, -1).replaceAll('<', '\\u003c'),
  text: (value) => value,
};

function percentEncoded(character: string): string {
  // Texts of messages are latin1: one character is one byte.
  return `%${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
}
