// JSON Schema of the configuration for editors (yaml-language-server), generated from the validating schema. Thread: main.
// It accepts everything that Fairlead accepts, and flags misspelt keys, wrong types and wrong units while typing.

import { z } from 'zod';
import { configSchema } from './schema.ts';

/** A JSON Schema; only the keywords that are read here are typed. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly anyOf?: readonly JsonSchema[];
}

const VARIABLE = { $ref: '#/definitions/variable' };
/** Metadata keywords that are not part of JSON Schema. */
const OWN_KEYWORDS = ['expects', 'example', 'isSecret', 'insteadOfZero', 'id'];

/** The whole schema (draft 7, which editors know best). */
export function editorSchema(): JsonSchema {
  const { $schema, ...made } = z.toJSONSchema(configSchema(), { io: 'input', target: 'draft-7' }) as JsonSchema;
  const { properties, ...root } = translate(made, false) as JsonSchema & { readonly properties: Properties };
  const { upstreams } = properties;
  const named = upstreams!['additionalProperties'] as JsonSchema;
  return {
    $schema,
    title: 'Fairlead configuration',
    ...root,
    properties: { ...properties, upstreams: { ...upstreams, additionalProperties: withNull(named) } },
    patternProperties: { '^x-': { description: 'Ignored by Fairlead; for anchors and notes.' } },
    definitions: {
      ...definitionsOf(made),
      variable: {
        type: 'string',
        pattern: '\\$\\{',
        description: 'An environment variable: ${NAME} or ${NAME:-default}.',
      },
    },
  };
}

/** The parts that refer to themselves: a route has routes. */
function definitionsOf({ definitions }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const parts = Object.entries((definitions ?? {}) as Record<string, JsonSchema>);
  return Object.fromEntries(parts.map(([name, part]) => [name, withNull(translate(part, false))]));
}

type Properties = Readonly<Record<string, JsonSchema>>;

/** Allows `null` for every optional key: it switches an inherited setting off. */
function withNull(schema: JsonSchema): JsonSchema {
  const { properties, anyOf, required = [] } = schema as JsonSchema & { properties?: Properties; required?: string[] };
  const changed: Record<string, unknown> = { ...schema };
  if (anyOf !== undefined) changed['anyOf'] = anyOf.map(withNull);
  if (properties !== undefined) {
    const entries = Object.entries(properties).map(([key, one]) => {
      const inner = withNull(one);
      return [key, required.includes(key) ? inner : orNull(inner)];
    });
    changed['properties'] = Object.fromEntries(entries);
  }
  return changed;
}

function orNull({ description, default: standard, examples, anyOf, ...form }: JsonSchema): JsonSchema {
  const words = {
    ...(description === undefined ? {} : { description }),
    ...(standard === undefined ? {} : { default: standard }),
    ...(examples === undefined ? {} : { examples }),
  };
  const forms = anyOf ?? [form];
  return { ...(anyOf === undefined ? {} : form), ...words, anyOf: [...forms, { type: 'null' }] };
}

/** The text of `fairlead.schema.json`. */
export function renderEditorSchema(): string {
  return `${JSON.stringify(editorSchema(), null, 2)}\n`;
}

/** @param isForm whether this is one of several forms of a value: a variable is allowed beside them, not in each */
function translate(schema: JsonSchema, isForm: boolean): JsonSchema {
  const parts: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (OWN_KEYWORDS.includes(keyword) || (keyword === 'default' && typeof value === 'object')) continue;
    parts[keyword] = translateKeyword(keyword, value);
  }
  // anyOf in place of oneOf: a variable in place of the discriminating word may fit several mappings.
  const { oneOf, anyOf = oneOf, ...rest } = parts;
  const words = describe(schema);
  if (anyOf !== undefined) return { ...rest, ...words, anyOf: withVariable(anyOf as readonly JsonSchema[], isForm) };
  if (isForm || !isPickyScalar(rest)) return { ...rest, ...words };
  const { default: standard, ...form } = rest;
  delete form['description'];
  return { ...words, ...(standard === undefined ? {} : { default: standard }), anyOf: [form, VARIABLE] };
}

function translateKeyword(keyword: string, value: unknown): unknown {
  switch (keyword) {
    case 'properties':
      return Object.fromEntries(
        Object.entries(value as Record<string, JsonSchema>).map(([key, one]) => [key, translate(one, false)]),
      );
    case 'items':
    case 'additionalProperties':
      return typeof value === 'object' ? translate(value as JsonSchema, false) : value;
    case 'propertyNames':
      return translate(value as JsonSchema, true);
    case 'anyOf':
    case 'oneOf':
      return (value as readonly JsonSchema[]).map((one) => translate(one, true));
    default:
      return value;
  }
}

/** Text that an editor shows: the description, then the accepted values. */
function describe({ description, expects, example }: JsonSchema): JsonSchema {
  const takes = typeof expects === 'string' ? `Value: ${expects}.` : '';
  const text = [description, takes].filter((part) => part !== undefined && part !== '').join(' ');
  const isPlain = typeof example === 'string' && !/^[[{"]/.test(example);
  return { ...(text === '' ? {} : { description: text }), ...(isPlain ? { examples: [example] } : {}) };
}

function withVariable(forms: readonly JsonSchema[], isForm: boolean): readonly JsonSchema[] {
  const takesAnyText = forms.some((form) => form.type === 'string' && !isPickyScalar(form));
  return isForm || takesAnyText || !forms.some(isPickyScalar) ? forms : [...forms, VARIABLE];
}

/** Whether a value is a scalar that rejects some texts. */
function isPickyScalar(schema: JsonSchema): boolean {
  if (schema.type === 'object' || schema.type === 'array') return false;
  const isText = schema.type === 'string';
  return !isText || schema.pattern !== undefined || 'enum' in schema || 'const' in schema;
}
