// Policy: sets, adds and removes header fields on the way to the endpoint and on the way to the client. `set` and `remove`
// by name are the same for every exchange of a route and are merged into the plan, so that a scanned head is edited as byte
// ranges; values in braces and the other edits depend on the exchange and run as hooks. Thread: both.

import type { FieldEdits, Policy, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { constantText, templateRenderer } from '../../core/template.ts';
import type { TemplateFacts } from '../../core/template-values.ts';
import { builtIn } from './built-in.ts';
import {
  type ConditionalEdits,
  editRequest,
  editResponse,
  hasEdits,
  liveEdits,
  needsEndpoint,
  replyEditor,
  type TemplateField,
} from './conditional-edits.ts';
import { type FieldDirection, reasonAgainstEdit } from './editable-fields.ts';

/** Data of the policy in a Snapshot. */
export interface HeaderEdits {
  readonly requestHeaders: FieldEdits;
  readonly responseHeaders: FieldEdits;
  /** Edits that depend on the exchange; absent where there are none. */
  readonly conditional?: {
    readonly request: ConditionalEdits;
    readonly response: ConditionalEdits;
    /** Whether local replies are edited as responses are. */
    readonly editsReplies: boolean;
  };
}

const NONE: FieldEdits = { set: [], remove: [] };
const NAME = 'header-edits';
const UPSTREAM_NAME = 'upstream-header-edits';

export const headerEdits = builtIn({ name: NAME, scope: 'route', stage: 'forward', ...parts('') });

/** On an upstream: after the edits of the route, whichever chose it. */
export const upstreamHeaderEdits = builtIn({
  name: UPSTREAM_NAME,
  scope: 'upstream',
  stage: 'forward',
  ...parts(', after those of the route'),
});

function parts(order: string) {
  return {
    options: (schemas: OptionSchemas) => editOptions(schemas, order),
    compile: compileEdits,
    explain: describe,
    create,
  };
}

function editOptions(schemas: OptionSchemas, order: string) {
  return {
    requestHeaders: schemas.z
      .strictObject(fieldChanges(schemas))
      .meta(META)
      .describe(`Edits of the header fields sent to the endpoint${order}.`)
      .optional(),
    responseHeaders: schemas.z
      .strictObject({
        ...fieldChanges(schemas),
        always: schemas.z
          .boolean()
          .default(false)
          .describe('Whether errors and other replies that Fairlead makes itself are edited too.'),
      })
      .meta(META)
      .describe(`Edits of the header fields sent to the client${order === '' ? '' : ', before those of the route'}.`)
      .optional(),
  };
}

function compileEdits(
  { requestHeaders, responseHeaders }: OptionsOf<ReturnType<typeof editOptions>>,
  context: CompileContext,
): HeaderEdits | null {
  checkFields(requestHeaders, 'request', context);
  checkFields(responseHeaders, 'response', context);
  if (requestHeaders === undefined && responseHeaders === undefined) return null;
  const request = compileChanges(requestHeaders, 'request', context);
  const response = compileChanges(responseHeaders, 'response', context);
  const edits = { requestHeaders: request.constant, responseHeaders: response.constant };
  const conditional = {
    request: request.conditional,
    response: response.conditional,
    editsReplies: responseHeaders?.always ?? false,
  };
  const hasConditional = hasEdits(conditional.request) || hasEdits(conditional.response) || conditional.editsReplies;
  return hasConditional ? { ...edits, conditional } : edits;
}

function create(edits: HeaderEdits): Policy {
  return {
    requestFields: edits.requestHeaders,
    responseFields: edits.responseHeaders,
    ...conditionalHooks(edits),
  };
}

/** The edits of a route and its upstream for one exchange, for display. Later ones override earlier ones of the same name. */
export function headerEditsOf(
  policies: readonly PolicySnapshot[],
  facts: TemplateFacts,
): Pick<HeaderEdits, 'requestHeaders' | 'responseHeaders'> {
  const all = policies
    .filter(({ name }) => name === NAME || name === UPSTREAM_NAME)
    .map(({ data }) => renderedOf(data as HeaderEdits, facts));
  return {
    requestHeaders: all.map((one) => one.requestHeaders).reduce(overridden, NONE),
    responseHeaders: all.map((one) => one.responseHeaders).reduceRight(overridden, NONE),
  };
}

function overridden(first: FieldEdits, second: FieldEdits): FieldEdits {
  const names = new Set(second.set.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  const set = first.set.filter((_, at) => !names.has(first.set[at - (at % 2)]!.toLowerCase()));
  return { set: [...set, ...second.set], remove: [...first.remove, ...second.remove] };
}

function renderedOf(edits: HeaderEdits, facts: TemplateFacts): Pick<HeaderEdits, 'requestHeaders' | 'responseHeaders'> {
  const { requestHeaders, responseHeaders, conditional } = edits;
  if (conditional === undefined) return edits;
  return {
    requestHeaders: renderedEdits(requestHeaders, conditional.request, facts),
    responseHeaders: renderedEdits(responseHeaders, conditional.response, facts),
  };
}

function describe(edits: HeaderEdits, facts: TemplateFacts): string {
  const { requestHeaders, responseHeaders } = renderedOf(edits, facts);
  const parts = [...editWords(requestHeaders, 'request'), ...editWords(responseHeaders, 'response')];
  return parts.length === 0 ? 'changes nothing' : parts.join('; ');
}

function editWords({ set, remove }: FieldEdits, direction: string): string[] {
  const names = set.filter((_, at) => at % 2 === 0);
  const words = [
    ...(names.length > 0 ? [`sets ${names.join(', ')}`] : []),
    ...(remove.length > 0 ? [`removes ${remove.join(', ')}`] : []),
  ];
  return words.length === 0 ? [] : [`${words.join(' and ')} on ${direction}s`];
}

function renderedEdits(constant: FieldEdits, { set, add }: ConditionalEdits, facts: TemplateFacts): FieldEdits {
  const edited = { set: [...constant.set], remove: [...constant.remove] };
  for (const { name, value } of [...set, ...add]) {
    const text = templateRenderer(value)(facts);
    if (text === '') edited.remove.push(name);
    else edited.set.push(name, text);
  }
  return edited;
}

function conditionalHooks({ responseHeaders, conditional }: HeaderEdits): Policy {
  if (conditional === undefined) return {};
  const request = liveEdits(conditional.request);
  const response = liveEdits(conditional.response);
  const edit = (exchange: PolicyExchange): undefined => {
    if (exchange.upstreamName !== '') editRequest(exchange, request);
  };
  return {
    ...(hasEdits(conditional.request) &&
      (needsEndpoint(conditional.request) ? { onPlaced: edit } : { onRequest: edit })),
    ...(hasEdits(conditional.response) && {
      onResponse: (exchange: PolicyExchange): undefined => {
        editResponse(exchange, response);
      },
    }),
    ...(conditional.editsReplies && { onLocalReply: replyEditor(responseHeaders, response) }),
  };
}

const META = { expects: 'a mapping with set and remove', example: '{ set: { x-team: blue }, remove: [x-debug] }' };

function fieldChanges({ z, fieldName, template }: OptionSchemas) {
  const value = template('field', { expects: 'a field value', example: 'value' }).describe(
    'Value of the field; may have values in braces (docs/policies/values.md).',
  );
  const values = () =>
    z.record(fieldName(), value).meta({ expects: 'a mapping of names to values such as { x-team: blue }' });
  return {
    set: values().describe('Fields to set; they replace fields of the same name.').optional(),
    add: values().describe('Fields to add beside those of the same name.').optional(),
    setIfAbsent: values().describe('Fields to set where the message has none of the same name.').optional(),
    remove: z
      .array(fieldName())
      .meta({ expects: 'a list of names such as [x-debug]' })
      .describe('Names of fields to remove; `x-debug-*` removes all that begin with `x-debug-`.')
      .optional(),
  };
}

/** Changes as the schema gives them. */
type FieldChanges =
  | {
      readonly set?: Readonly<Record<string, string>>;
      readonly add?: Readonly<Record<string, string>>;
      readonly setIfAbsent?: Readonly<Record<string, string>>;
      readonly remove?: readonly string[];
    }
  | undefined;

const isPrefix = (name: string): boolean => name.endsWith('*');

/** Changes of one message, compiled. */
interface CompiledChanges {
  readonly constant: FieldEdits;
  readonly conditional: ConditionalEdits;
}

function compileChanges(changes: FieldChanges, direction: FieldDirection, context: CompileContext): CompiledChanges {
  const fields = (kind: 'set' | 'add' | 'setIfAbsent'): TemplateField[] =>
    Object.entries(changes?.[kind] ?? {}).map(([name, text]) => {
      const path = [`${direction}Headers`, kind, name];
      return { name, value: context.template(text, { form: 'field', place: 'attempt', path }) };
    });
  const set = fields('set');
  const constantSet = set.flatMap(({ name, value }) => {
    const text = constantText(value);
    return text === null ? [] : [name, text];
  });
  const remove = changes?.remove ?? [];
  return {
    constant: { set: constantSet, remove: remove.filter((name) => !isPrefix(name)) },
    conditional: {
      set: set.filter(({ value }) => constantText(value) === null),
      add: fields('add'),
      setIfAbsent: fields('setIfAbsent'),
      removedPrefixes: remove.filter(isPrefix).map((name) => name.slice(0, -1).toLowerCase()),
    },
  };
}

function checkFields(changes: FieldChanges, direction: FieldDirection, context: CompileContext): void {
  const key = `${direction}Headers`;
  const seen = new Set<string>();
  const check = (name: string, path: readonly (string | number)[]): void => {
    const reason = reasonAgainstEdit(name.toLowerCase(), direction);
    if (reason === null) return;
    const message = `the field ${JSON.stringify(name)} cannot be changed: ${reason}`;
    context.report({ code: 'FL3009', message, path, part: 'key' });
  };
  for (const name of Object.keys(changes?.set ?? {})) {
    const path = [key, 'set', name];
    check(name, path);
    if (seen.has(name.toLowerCase())) {
      const message = `the field ${JSON.stringify(name)} is set twice: field names are case-insensitive`;
      context.report({ code: 'FL3003', message, path, part: 'key' });
    }
    seen.add(name.toLowerCase());
  }
  for (const kind of ['add', 'setIfAbsent'] as const) {
    for (const name of Object.keys(changes?.[kind] ?? {})) check(name, [key, kind, name]);
  }
  for (const [index, name] of (changes?.remove ?? []).entries()) {
    check(name, [key, 'remove', index]);
    if (name !== '*') continue;
    const message = '"*" would remove every field: write the beginning of the names, such as x-debug-*';
    context.report({ code: 'FL3008', message, path: [key, 'remove', index] });
  }
}
