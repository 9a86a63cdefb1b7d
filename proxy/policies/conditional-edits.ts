// Edits of header fields that depend on the exchange: values in braces, add a line, set a field where it is absent, remove
// names by prefix, and edit local replies. Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { PendingReply, Policy, PolicyExchange, PolicyReply } from '../../core/policy/policy.ts';
import type { FieldEdits } from '../../core/policy/policy.ts';
import {
  constantText,
  type Template,
  type TemplateRenderer,
  templateRenderer,
  usesValue,
} from '../../core/template.ts';
import { type FieldDirection, reasonAgainstEdit } from './editable-fields.ts';

/** A field whose value has values in braces. */
export interface TemplateField {
  readonly name: string;
  readonly value: Template;
}

/** Data in a Snapshot. */
export interface ConditionalEdits {
  /** Fields to set whose values differ from exchange to exchange. */
  readonly set: readonly TemplateField[];
  readonly add: readonly TemplateField[];
  readonly setIfAbsent: readonly TemplateField[];
  /** Lower case. */
  readonly removedPrefixes: readonly string[];
}

/** Whether there is anything to do. */
export function hasEdits({ set, add, setIfAbsent, removedPrefixes }: ConditionalEdits): boolean {
  return set.length + add.length + setIfAbsent.length + removedPrefixes.length > 0;
}

/** Whether a value is known only once an endpoint was chosen. */
export function needsEndpoint({ set, add, setIfAbsent }: ConditionalEdits): boolean {
  return [...set, ...add, ...setIfAbsent].some(({ value }) => usesValue(value, ['endpoint']));
}

interface LiveField {
  readonly name: string;
  readonly lower: string;
  readonly render: TemplateRenderer;
  /** Whether an empty value is sent: one that is written so. */
  readonly isConstant: boolean;
}

/** Edits as workers run them. */
export interface LiveEdits {
  readonly set: readonly LiveField[];
  readonly add: readonly LiveField[];
  readonly setIfAbsent: readonly LiveField[];
  readonly removedPrefixes: readonly string[];
}

export function liveEdits({ set, add, setIfAbsent, removedPrefixes }: ConditionalEdits): LiveEdits {
  const live = (fields: readonly TemplateField[]): LiveField[] =>
    fields.map(({ name, value }) => {
      const render = templateRenderer(value);
      return { name, lower: name.toLowerCase(), render, isConstant: constantText(value) !== null };
    });
  return { set: live(set), add: live(add), setIfAbsent: live(setIfAbsent), removedPrefixes };
}

/** Applies edits to the request. A field whose value is empty is removed: the client's own must not stand for it. */
export function editRequest(exchange: PolicyExchange, edits: LiveEdits): void {
  for (const name of namesUnder(exchange.request.endToEndFields(), edits.removedPrefixes, 'request')) {
    exchange.removeRequestField(name);
  }
  for (const field of edits.set) {
    const value = valueOf(field, exchange);
    if (value === null) exchange.removeRequestField(field.name);
    else exchange.setRequestField(field.name, value);
  }
  for (const field of edits.setIfAbsent) {
    const value = exchange.requestField(field.lower) === undefined ? valueOf(field, exchange) : null;
    if (value !== null) exchange.setRequestField(field.name, value);
  }
  for (const field of edits.add) {
    const value = valueOf(field, exchange);
    if (value !== null) exchange.addRequestField(field.name, value);
  }
}

/** Applies edits to the endpoint's response. */
export function editResponse(exchange: PolicyExchange, edits: LiveEdits): void {
  for (const name of namesUnder(exchange.response!.endToEndFields(), edits.removedPrefixes, 'response')) {
    exchange.removeResponseField(name);
  }
  for (const field of edits.set) {
    const value = valueOf(field, exchange);
    if (value === null) exchange.removeResponseField(field.name);
    else exchange.setResponseField(field.name, value);
  }
  for (const field of edits.setIfAbsent) {
    const value = exchange.responseField(field.lower) === undefined ? valueOf(field, exchange) : null;
    if (value !== null) exchange.setResponseField(field.name, value);
  }
  for (const field of edits.add) {
    const value = valueOf(field, exchange);
    if (value !== null) exchange.addResponseField(field.name, value);
  }
}

/** Hook `onLocalReply` that applies constant and conditional edits to every local reply. */
export function replyEditor(constant: FieldEdits, edits: LiveEdits): NonNullable<Policy['onLocalReply']> {
  const names = [...constant.set.filter((_, at) => at % 2 === 0), ...edits.set.map(({ name }) => name)];
  const replaced = new Set([...constant.remove, ...names].map((name) => name.toLowerCase()));
  return (exchange: PolicyExchange, reply: PendingReply): PolicyReply => {
    const isKept = (name: string): boolean =>
      !replaced.has(name) && !edits.removedPrefixes.some((prefix) => name.startsWith(prefix));
    const fields = reply.fields.filter((_, at) => isKept(reply.fields[at - (at % 2)]!.toLowerCase()));
    fields.push(...constant.set);
    const push = (field: LiveField): void => {
      const value = valueOf(field, exchange);
      if (value !== null) fields.push(field.name, value);
    };
    edits.set.forEach(push);
    for (const field of edits.setIfAbsent) {
      if (!fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === field.lower)) push(field);
    }
    edits.add.forEach(push);
    return { ...reply, fields };
  };
}

/** Null for a value that came out empty: an empty field would say nothing. */
function valueOf({ render, isConstant }: LiveField, exchange: PolicyExchange): string | null {
  const value = render(exchange);
  return value === '' && !isConstant ? null : value;
}

function namesUnder(fields: FieldList, prefixes: readonly string[], direction: FieldDirection): ReadonlySet<string> {
  const names = new Set<string>();
  if (prefixes.length === 0) return names;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase();
    const isUnder = prefixes.some((prefix) => name.startsWith(prefix));
    if (isUnder && reasonAgainstEdit(name, direction) === null) names.add(name);
  }
  return names;
}
