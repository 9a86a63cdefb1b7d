// Translates zod issues into messages with location, allowed values and suggestion. Thread: main.

import { z } from 'zod';
import { otherUnit } from '../values/duration.ts';
import { nearestName } from '../problems/nearest-name.ts';
import { quoted } from '../values/parsed.ts';
import { withBraces } from '../yaml/environment.ts';
import { adviceForKey, meantByPeerWord } from './peer-words.ts';
import { formatPath, type Finding, type KeyPath, type ProblemCode } from '../problems/problem.ts';
import { entriesOf, expectsOf, metaOf, scalarKinds, schemaAt, wordsOf, type Schema } from './schema-tree.ts';

type Issue = z.core.$ZodIssue;

/** The values that were checked, and their source text. */
export interface CheckedValues {
  valueAt(path: KeyPath): unknown;
  writtenAt(path: KeyPath): string;
}

/** Translates zod issues of `values`, which were checked against `schema`. */
export function findingsOf(issues: readonly Issue[], schema: Schema, values: CheckedValues): Finding[] {
  const findings = issues.flatMap((issue) => translate(issue, [], { schema, values }));
  return withoutMeantKeys(findings);
}

/** Drops reports of keys that are missing only because they are misspelt. */
function withoutMeantKeys(findings: readonly Finding[]): Finding[] {
  const meant = new Set<string>();
  for (const { code, path, suggestion } of findings) {
    if (code === 'FL2001' && suggestion !== undefined) meant.add(formatPath([...path.slice(0, -1), suggestion]));
  }
  return findings.filter(({ code, path }) => code !== 'FL2002' || !meant.has(formatPath(path)));
}

interface Context {
  readonly schema: Schema;
  readonly values: CheckedValues;
}

function translate(issue: Issue, base: KeyPath, context: Context): Finding[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], context));
    case 'invalid_union':
      return translateUnion(issue, path, context);
    case 'invalid_key':
      return issue.issues.map((inner) => ({ ...ownMessage(inner, path), part: 'key' }));
    case 'custom':
      return [ownMessage(issue, path)];
    default:
      return [unfit(issue, path, context)];
  }
}

/** Message of a check in the schema itself, which supplies its own code. */
function ownMessage(issue: Issue, path: KeyPath): Finding {
  const params = (issue.code === 'custom' ? issue.params : undefined) as
    | { code?: ProblemCode; mark?: string; suggestion?: string }
    | undefined;
  const { code = 'FL2006', mark, suggestion } = params ?? {};
  return { code, message: issue.message, path, mark, suggestion };
}

/** Of the allowed forms of a value, reports against the one whose outermost type matches. */
function translateUnion(issue: z.core.$ZodIssueInvalidUnion, path: KeyPath, context: Context): Finding[] {
  const meant = issue.errors.filter((branch) => !branch.some(isOutermostMismatch));
  const nearest = meant.toSorted((a, b) => a.length - b.length)[0];
  if (nearest === undefined) return [unfit(issue, path, context)];
  return nearest.flatMap((inner) => translate(inner, path, context));
}

function isOutermostMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every((branch) => branch.some(isOutermostMismatch));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function unfit(issue: Issue, path: KeyPath, context: Context): Finding {
  const value = context.values.valueAt(path);
  const mistyped = value === undefined && issue.code === 'invalid_union' ? mistypedFor(path, context) : undefined;
  if (mistyped !== undefined) return unknownKey(mistyped, context);
  const schema = schemaAt(context.schema, path);
  const name = nameOf(path);
  const expected = schema === null ? 'another value' : expectsOf(schema);
  const example = schema === null ? '' : exampleFor(schema, path);
  if (value === undefined)
    return { code: 'FL2002', message: `${name} is required: expected ${expected}${example}`, path, part: 'key' };
  if (value === null) return { code: 'FL2004', message: `${name} has no value: expected ${expected}${example}`, path };
  if (issue.code === 'too_small' && issue.origin === 'array') {
    return { code: 'FL2007', message: `${name} is an empty list: at least one entry is required${example}`, path };
  }
  if (schema !== null && metaOf(schema).isSecret === true) return unfitSecret(schema, value, path);
  const written =
    typeof value === 'object' ? '' : context.values.writtenAt(path) || String(value as string | number | boolean);
  const hint = schema === null ? undefined : hintFor(schema, value, written, wordsFor(issue, schema));
  const instead = value === 0 && schema !== null ? metaOf(schema).insteadOfZero : undefined;
  const advice = instead === undefined ? (hint?.text ?? example) : `: ${instead}`;
  const message = `${name} must be ${expected}, not ${given(value, written, schema)}${advice}`;
  const isKindTaken = schema !== null && (scalarKinds(schema) as ReadonlySet<string>).has(typeof value);
  return { code: isKindTaken ? 'FL2005' : 'FL2004', message, path, suggestion: hint?.suggestion };
}

/** Reports an unfit secret without its value, because messages end up in logs. */
function unfitSecret(schema: Schema, value: unknown, path: KeyPath): Finding {
  const kind = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a mapping' : 'this';
  const isText = typeof value !== 'object' && scalarKinds(schema).has('string');
  const advice = isText ? ': quote it' : exampleFor(schema, path);
  return { code: 'FL2004', message: `${nameOf(path)} must be ${expectsOf(schema)}, not ${kind}${advice}`, path };
}

function nameOf(path: KeyPath): string {
  if (path.length === 0) return 'the file';
  const key = path.findLastIndex((step) => typeof step === 'string');
  return quoted(formatPath(path.slice(Math.max(0, key)))).replaceAll('\\"', "'");
}

function given(value: unknown, written: string, schema: Schema | null): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return written;
  const isTextTaken = schema !== null && scalarKinds(schema).has('string');
  return isTextTaken ? quoted(value) : `the text ${quoted(value)}`;
}

function exampleFor(schema: Schema, path: KeyPath): string {
  const { example } = metaOf(schema);
  if (example === undefined || expectsOf(schema).includes('such as')) return '';
  const last = path.at(-1);
  return typeof last === 'string' ? `, for example ${last}: ${example}` : `, for example ${example}`;
}

interface Hint {
  readonly text: string;
  readonly suggestion: string;
}

/** The words that a value may be; for a mapping that is discriminated by one key, the words of that key. */
function wordsFor(issue: Issue, schema: Schema): readonly string[] {
  const options = issue.code === 'invalid_union' && 'options' in issue ? issue.options : undefined;
  return options === undefined ? wordsOf(schema) : options.map(String);
}

/** Suggestion for a scalar that doesn't fit. */
function hintFor(schema: Schema, value: unknown, written: string, words: readonly string[]): Hint | undefined {
  if (typeof value === 'string') return hintForText(schema, value, words);
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  // A number that is out of range stays one: as text it would mean something else.
  const isNumberTaken = typeof value === 'number' && scalarKinds(schema).has('number');
  const asText = z.safeParse(schema, written);
  if (asText.success && isNumberTaken) return undefined;
  if (asText.success) return { text: `: quote it, "${written}"`, suggestion: `"${written}"` };
  const suggestion = asText.error.issues
    .map((issue) => ownMessage(issue, []).suggestion)
    .find((text) => text !== undefined && z.safeParse(schema, text).success);
  if (suggestion === undefined) return undefined;
  const other = /^\d+m?s$/.test(suggestion) ? otherUnit(written) : '';
  return { text: `; did you mean ${suggestion}?${other}`, suggestion };
}

function hintForText(schema: Schema, text: string, words: readonly string[]): Hint | undefined {
  const word = meantByPeerWord(text, words) ?? nearestName(text, words);
  if (word !== undefined) return { text: `; did you mean ${word}?`, suggestion: word };
  const kinds = scalarKinds(schema);
  const variable = withBraces(text);
  if (variable !== undefined) return { text: `: write ${variable} for an environment variable`, suggestion: variable };
  if (kinds.has('number') && /^\d+(?:\.\d+)?$/.test(text)) return { text: ': remove the quotes', suggestion: text };
  if (!kinds.has('boolean') || !/^(?:true|false|yes|no|on|off|y|n)$/i.test(text)) return undefined;
  const meant = /^(?:true|yes|on|y)$/i.test(text) ? 'true' : 'false';
  return { text: `; did you mean ${meant}?`, suggestion: meant };
}

/** The misspelt key that stands for a missing discriminator of its mapping. */
function mistypedFor(path: KeyPath, { schema, values }: Context): KeyPath | undefined {
  const around = path.slice(0, -1);
  const mapping = values.valueAt(around);
  const mappingSchema = schemaAt(schema, around);
  if (typeof mapping !== 'object' || mapping === null || mappingSchema === null) return undefined;
  const allowed = [...entriesOf(mappingSchema).keys()];
  const unknown = Object.keys(mapping).filter((key) => !allowed.includes(key));
  const mistyped = unknown.find((key) => nearestName(key, allowed) === path.at(-1));
  return mistyped === undefined ? undefined : [...around, mistyped];
}

function unknownKey(path: KeyPath, context: Context): Finding {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const schema = schemaAt(context.schema, parent);
  const allowed = schema === null ? [] : [...entriesOf(schema).keys()];
  if (allowed.includes(key)) return misplacedSetting(key, path, context.values.valueAt([...parent, 'strategy']));
  const nearest = nearestName(key, allowed);
  // "path" is near "match" and "cert" is near "certificates", and both mean something else.
  const isFar = nearest !== undefined && (nearest[0] !== key[0]?.toLowerCase() || nearest.length >= 2 * key.length);
  const above = parent.findLast((step) => typeof step === 'string');
  const advice = nearest === undefined || isFar ? adviceForKey(key, above) : undefined;
  const suggestion = advice === undefined ? nearest : undefined;
  const hint = suggestion === undefined ? '; allowed' : `; did you mean ${quoted(suggestion)}? Allowed`;
  const list = `${advice === undefined ? hint : `: ${advice}; allowed`} here: ${allowed.join(', ')}`;
  const message = `unknown key ${quoted(key)}${list}`;
  return { code: 'FL2001', message, path, part: 'key', suggestion };
}

/** Reports a setting of a balancer other than the chosen one: the only keys that depend on the value of a neighbour. */
function misplacedSetting(key: string, path: KeyPath, strategy: unknown): Finding {
  const message = `${quoted(key)} is not a setting of strategy ${String(strategy)}: remove it`;
  return { code: 'FL3007', message, path, part: 'key' };
}
