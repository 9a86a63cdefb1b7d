// Schema of `plugins`, of the lists `policies`, and of the keys of built-in policies. The options of a plugin's policy are
// checked against its own schema when the plugin is loaded (config/policies/). Thread: main.

import { z } from 'zod';
import type { OptionSchemas } from '../../core/option-schema.ts';
import type { PolicyScope } from '../../core/policy/policy-definition.ts';
import { POLICIES } from '../../proxy/policies/registry.ts';
import { filePath, optionSchemas } from './schema-values.ts';

/** Keys that the built-in policies of one scope add to its mapping. */
type KeysOf<Scope extends PolicyScope> = Intersection<ShapeOf<(typeof POLICIES)[number], Scope>>;
type ShapeOf<Policy, Scope> = Policy extends {
  readonly scope: Scope;
  readonly options: (schemas: OptionSchemas) => infer Shape;
}
  ? Shape
  : never;
type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** The shape to spread into the schema of a listener, route or upstream. */
export function policyKeys<Scope extends PolicyScope>(scope: Scope): KeysOf<Scope> {
  const shapes = POLICIES.filter((policy) => policy.scope === scope).map((policy) => policy.options(optionSchemas));
  return Object.assign({}, ...shapes) as KeysOf<Scope>;
}

const use = z
  .record(
    z.string(),
    z
      .unknown()
      .meta({ expects: 'a mapping of options, or true', example: 'true' })
      .describe('Options of the policy, as defined by the plugin; `true` for the defaults.'),
  )
  .meta({ expects: 'a mapping of one policy to its options such as { my-policy: true }' });

export const policies = z
  .array(use)
  .meta({ expects: 'a list of policies such as [{ my-policy: true }]', example: '[{ my-policy: { limit: 5 } }]' })
  .describe('Policies of `plugins`, in the order in which they run: each by name, with its options or `true`.')
  .optional();

export const plugins = z
  .array(filePath('./my-policy.js'))
  .meta({ expects: 'a list of files such as [./my-policy.js]', example: '[./my-policy.js]' })
  .describe('Modules that define further policies, balancers and log formats (docs/extending.md).')
  .optional();
