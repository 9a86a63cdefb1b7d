// Defines a policy of Fairlead's own, its types inferred from its options. Thread: both.

import type { OptionShape } from '../../core/option-schema.ts';
import type { BuiltInPolicy, PolicyScope } from '../../core/policy/policy-definition.ts';

const DEFAULTS = { needs: [], budgetMs: 10, waitMs: 5000 } as const;

type Complete<Scope extends PolicyScope, Shape extends OptionShape, Data> = BuiltInPolicy<Scope, Shape, Data>;
type Defaulted = keyof typeof DEFAULTS;

/** Fills in the defaults. */
export function builtIn<const Scope extends PolicyScope, Shape extends OptionShape, Data>(
  policy: Omit<Complete<Scope, Shape, Data>, Defaulted> & Partial<Pick<Complete<Scope, Shape, Data>, Defaulted>>,
): Complete<Scope, Shape, Data> {
  return { ...DEFAULTS, ...policy };
}
