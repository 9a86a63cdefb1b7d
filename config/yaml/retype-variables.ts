// Converts values from the environment to the type that the schema requires. Thread: main.
// `workers: ${WORKERS}` is a string until the schema calls for a number; a quoted value remains a string.

import { entriesOf, itemOf, scalarKinds, type Schema } from '../schema/schema-tree.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { SourceTree } from './source-tree.ts';

/** Converts the values of `tree` in place. */
export function retypeVariables(tree: SourceTree, schema: Schema): void {
  if (tree.hasVariables) visit(tree.root, schema, tree);
}

/** Converts the value at `path` only, whose schema becomes known later: the options of a policy. */
export function retypeVariablesAt(tree: SourceTree, path: KeyPath, schema: Schema): void {
  if (tree.hasVariables) visit(tree.valueAt(path), schema, tree);
}

function visit(value: unknown, schema: Schema, tree: SourceTree): void {
  if (Array.isArray(value)) visitList(value, schema, tree);
  else if (typeof value === 'object' && value !== null) visitMapping(value as Record<string, unknown>, schema, tree);
}

function visitList(list: unknown[], schema: Schema, tree: SourceTree): void {
  const item = itemOf(schema);
  if (item === null) return;
  for (const [index, value] of list.entries()) {
    if (tree.isVariable(list, index)) list[index] = retyped(value, item);
    else visit(value, item, tree);
  }
}

function visitMapping(mapping: Record<string, unknown>, schema: Schema, tree: SourceTree): void {
  const entries = entriesOf(schema);
  for (const [key, value] of Object.entries(mapping)) {
    const entry = entries.get(key) ?? entries.get('*');
    if (entry === undefined) continue;
    if (tree.isVariable(mapping, key)) mapping[key] = retyped(value, entry);
    else visit(value, entry, tree);
  }
}

function retyped(value: unknown, schema: Schema): unknown {
  if (typeof value !== 'string') return value;
  const kinds = scalarKinds(schema);
  if (kinds.has('number') && /^-?\d+(?:\.\d+)?$/.test(value)) return Number(value);
  return kinds.has('boolean') && (value === 'true' || value === 'false') ? value === 'true' : value;
}
