// Checks and compiles the entries of a list `policies`: one policy each, by its name, with its options. Thread: main.

import { z } from 'zod';
import type { PluginPolicy } from '../../core/policy/policy-definition.ts';
import { nearestName } from '../problems/nearest-name.ts';
import type { KeyPath } from '../problems/problem.ts';
import { findingsOf } from '../schema/schema-findings.ts';
import { optionSchemas } from '../schema/schema-values.ts';
import type { CheckContext } from '../validate/parsed-config.ts';
import { quoted } from '../values/parsed.ts';
import { retypeVariablesAt } from '../yaml/retype-variables.ts';
import { compileContext, type CompiledPolicy, type PolicyPlace } from './policy-place.ts';

/** Policies of the loaded plugins by name. */
export type KnownPolicies = ReadonlyMap<string, PluginPolicy>;

/** One entry: the policy, and the path of its options in the file. */
interface Use {
  readonly policy: PluginPolicy;
  readonly place: PolicyPlace;
  readonly path: KeyPath;
}

export function compileUses(
  place: PolicyPlace,
  entries: readonly object[],
  known: KnownPolicies,
  context: CheckContext,
): CompiledPolicy[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const path = [...place.path, 'policies', index];
    const use = useOf(Object.keys(entry), { place, path }, known, context);
    if (use === null) return [];
    if (seen.has(use.policy.name)) {
      const message = `${place.scope} ${place.owner} has the policy ${use.policy.name} twice: keep one of them`;
      context.report({ code: 'FL3003', message, path: use.path, part: 'key' });
      return [];
    }
    seen.add(use.policy.name);
    const { name, stage, needs } = use.policy;
    const data = compileUse(use, context);
    return data === null ? [] : [{ name, stage, needs, data }];
  });
}

function useOf(
  names: readonly string[],
  { place, path }: Pick<Use, 'place' | 'path'>,
  known: KnownPolicies,
  context: CheckContext,
): Use | null {
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const message = `an entry of "policies" must have exactly one policy, not ${names.length}: write one entry per policy`;
    context.report({ code: 'FL3011', message, path });
    return null;
  }
  const policy = known.get(name);
  if (policy === undefined) {
    context.report({ code: 'FL3011', path: [...path, name], part: 'key', ...unknownPolicy(name, known) });
    return null;
  }
  if (policy.scope !== place.scope) {
    const message = `the policy ${name} is for a ${policy.scope}, and this is a ${place.scope}`;
    context.report({ code: 'FL3007', message, path: [...path, name], part: 'key' });
    return null;
  }
  return { policy, place, path: [...path, name] };
}

function unknownPolicy(name: string, known: KnownPolicies): { message: string; suggestion?: string | undefined } {
  const suggestion = nearestName(name, [...known.keys()]);
  const shown = `policy ${quoted(name)} does not exist`;
  if (suggestion !== undefined) return { message: `${shown}; did you mean ${quoted(suggestion)}?`, suggestion };
  if (known.size === 0) return { message: `${shown}: no plugin defines one; name its file in "plugins"` };
  return { message: `${shown}; the plugins define: ${[...known.keys()].slice(0, 10).join(', ')}` };
}

/** @returns the data for workers; null if there is none, or if a problem was reported */
function compileUse(use: Use, context: CheckContext): unknown {
  const { policy, place, path } = use;
  const fail = (what: string): null => {
    context.report({ code: 'FL3012', message: `the policy ${policy.name} ${what}`, path, part: 'key' });
    return null;
  };
  try {
    const options = parsedOptions(use, context);
    if (options === null) return null;
    const data = policy.compile(options.value, compileContext(place, path, context));
    if (data === undefined) return fail('compiles its options to undefined: its compile must return data or null');
    // Workers get a clone: data that can't be cloned is reported here, with its location, instead of failing in a worker.
    return structuredClone(data);
  } catch (error) {
    return fail(`cannot compile its options: ${(error as Error).message}`);
  }
}

/** Parses the options with the policy's schema, wrapped in its name for messages; null if they don't fit. */
function parsedOptions({ policy, path }: Use, context: CheckContext): { readonly value: unknown } | null {
  const { name } = policy;
  const shape = policy.options(optionSchemas);
  const keys = Object.keys(shape);
  const expects = keys.length === 0 ? 'true' : `true, or a mapping with ${keys.join(', ')}`;
  const schema = z.object({ [name]: z.strictObject(shape).meta({ expects }) });
  const entryPath = path.slice(0, -1);
  retypeVariablesAt(context.tree, entryPath, schema);
  const written = context.tree.valueAt(path);
  const parsed = schema.safeParse({ [name]: written === true ? {} : written });
  if (parsed.success) return { value: (parsed.data as Record<string, unknown>)[name] };
  const within = (inner: KeyPath): KeyPath => [...entryPath, ...inner];
  const values = {
    valueAt: (inner: KeyPath) => context.tree.valueAt(within(inner)),
    writtenAt: (inner: KeyPath) => context.tree.writtenAt(within(inner)),
  };
  for (const finding of findingsOf(parsed.error.issues, schema, values)) {
    context.report({ ...finding, path: within(finding.path) });
  }
  return null;
}
