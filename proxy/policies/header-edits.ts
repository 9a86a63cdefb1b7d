// Policy: sets and removes header fields on the way to the endpoint and on the way to the client. The edits are the same
// for every exchange of a route, so that a scanned head is edited as byte ranges. Thread: both.

import type { FieldEdits } from '../../core/policy/policy.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import type { OptionSchemas } from '../../core/option-schema.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { builtIn } from './built-in.ts';
import { type FieldDirection, reasonAgainstEdit } from './editable-fields.ts';

/** Data of the policy in a Snapshot. */
export interface HeaderEdits {
  readonly requestHeaders: FieldEdits;
  readonly responseHeaders: FieldEdits;
}

const NONE: FieldEdits = { set: [], remove: [] };
const NAME = 'header-edits';

export const headerEdits = builtIn({
  name: NAME,
  scope: 'route',
  stage: 'forward',
  options: (schemas) => ({
    requestHeaders: fieldChanges(schemas, 'the endpoint').optional(),
    responseHeaders: fieldChanges(schemas, 'the client').optional(),
  }),
  compile({ requestHeaders, responseHeaders }, context): HeaderEdits | null {
    checkFields(requestHeaders, 'request', context);
    checkFields(responseHeaders, 'response', context);
    if (requestHeaders === undefined && responseHeaders === undefined) return null;
    return { requestHeaders: editsOf(requestHeaders), responseHeaders: editsOf(responseHeaders) };
  },
  create: ({ requestHeaders, responseHeaders }) => ({ requestFields: requestHeaders, responseFields: responseHeaders }),
});

/** The edits of a route; empty where it has none. */
export function headerEditsOf({ policies }: { readonly policies: readonly PolicySnapshot[] }): HeaderEdits {
  const data = policies.find(({ name }) => name === NAME)?.data as HeaderEdits | undefined;
  return data ?? { requestHeaders: NONE, responseHeaders: NONE };
}

function fieldChanges({ z, fieldName, fieldValue }: OptionSchemas, direction: string) {
  return z
    .strictObject({
      set: z
        .record(fieldName(), fieldValue().describe('Value of the field.'))
        .meta({ expects: 'a mapping of names to values such as { x-team: blue }' })
        .describe('Fields to set; they replace fields of the same name.')
        .optional(),
      remove: z
        .array(fieldName())
        .meta({ expects: 'a list of names such as [x-debug]' })
        .describe('Names of fields to remove.')
        .optional(),
    })
    .meta({ expects: 'a mapping with set and remove', example: '{ set: { x-team: blue }, remove: [x-debug] }' })
    .describe(`Edits of the header fields sent to ${direction}.`);
}

/** Changes as the schema gives them. */
type FieldChanges =
  | { readonly set?: Readonly<Record<string, string>>; readonly remove?: readonly string[] }
  | undefined;

function editsOf(changes: FieldChanges): FieldEdits {
  return { set: Object.entries(changes?.set ?? {}).flat(), remove: changes?.remove ?? [] };
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
  for (const [index, name] of (changes?.remove ?? []).entries()) check(name, [key, 'remove', index]);
}
