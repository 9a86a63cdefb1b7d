// Edits of header fields that depend on the fields that a message has: add a line, set a field where it is absent, remove
// names by prefix, and edit local replies. Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { PendingReply, Policy, PolicyExchange, PolicyReply } from '../../core/policy/policy.ts';
import type { FieldEdits } from '../../core/policy/policy.ts';
import { type FieldDirection, reasonAgainstEdit } from './editable-fields.ts';

export interface ConditionalEdits {
  /** [name, value, ...] */
  readonly add: FieldList;
  readonly setIfAbsent: FieldList;
  /** Lower case. */
  readonly removedPrefixes: readonly string[];
}

/** Whether there is anything to do. */
export function hasEdits({ add, setIfAbsent, removedPrefixes }: ConditionalEdits): boolean {
  return add.length + setIfAbsent.length + removedPrefixes.length > 0;
}

/** Applies edits to the request. */
export function editRequest(exchange: PolicyExchange, edits: ConditionalEdits): void {
  for (const name of namesUnder(exchange.request.endToEndFields(), edits.removedPrefixes, 'request')) {
    exchange.removeRequestField(name);
  }
  eachField(edits.setIfAbsent, (name, value) => {
    if (exchange.requestField(name.toLowerCase()) === undefined) exchange.setRequestField(name, value);
  });
  eachField(edits.add, (name, value) => exchange.addRequestField(name, value));
}

/** Applies edits to the endpoint's response. */
export function editResponse(exchange: PolicyExchange, edits: ConditionalEdits): void {
  for (const name of namesUnder(exchange.response!.endToEndFields(), edits.removedPrefixes, 'response')) {
    exchange.removeResponseField(name);
  }
  eachField(edits.setIfAbsent, (name, value) => {
    if (exchange.responseField(name.toLowerCase()) === undefined) exchange.setResponseField(name, value);
  });
  eachField(edits.add, (name, value) => exchange.addResponseField(name, value));
}

/** Hook `onLocalReply` that applies constant and conditional edits to every local reply. */
export function replyEditor(constant: FieldEdits, edits: ConditionalEdits): NonNullable<Policy['onLocalReply']> {
  const names = constant.set.filter((_, at) => at % 2 === 0);
  const replaced = new Set([...constant.remove, ...names].map((name) => name.toLowerCase()));
  return (_exchange: PolicyExchange, reply: PendingReply): PolicyReply => {
    const isKept = (name: string): boolean =>
      !replaced.has(name) && !edits.removedPrefixes.some((prefix) => name.startsWith(prefix));
    const fields = reply.fields.filter((_, at) => isKept(reply.fields[at - (at % 2)]!.toLowerCase()));
    fields.push(...constant.set);
    eachField(edits.setIfAbsent, (name, value) => {
      const isPresent = fields.some((field, at) => at % 2 === 0 && field.toLowerCase() === name.toLowerCase());
      if (!isPresent) fields.push(name, value);
    });
    fields.push(...edits.add);
    return { ...reply, fields };
  };
}

function namesUnder(fields: FieldList, prefixes: readonly string[], direction: FieldDirection): ReadonlySet<string> {
  const names = new Set<string>();
  if (prefixes.length === 0) return names;
  eachField(fields, (field) => {
    const name = field.toLowerCase();
    const isUnder = prefixes.some((prefix) => name.startsWith(prefix));
    if (isUnder && reasonAgainstEdit(name, direction) === null) names.add(name);
  });
  return names;
}

function eachField(fields: FieldList, run: (name: string, value: string) => void): void {
  for (let at = 0; at < fields.length; at += 2) run(fields[at]!, fields[at + 1]!);
}
