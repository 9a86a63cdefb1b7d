// The parts of a plugin's module, checked for their shape. Thread: both.

import type { PluginPolicy } from '../core/policy/policy-definition.ts';
import { POLICY_NEEDS, POLICY_STAGES } from '../core/policy/policy-stage.ts';

/** What a plugin provides. */
export interface PluginParts {
  readonly policies: readonly PluginPolicy[];
}

/** The module is no plugin; the message follows "the plugin FILE". */
export class PluginShapeError extends Error {
  override readonly name = 'PluginShapeError';
}

type Unknown = Readonly<Record<string, unknown>>;

const LISTS = ['policies'] as const;

/**
 * A module may export lists (`policies`), have them in its default export, or export one policy by default.
 * @throws PluginShapeError
 */
export function partsOfModule(module: unknown): PluginParts {
  if (!isObject(module)) throw new PluginShapeError('exports nothing');
  const fallback = isObject(module['default']) ? module['default'] : {};
  const lists = Object.fromEntries(LISTS.map((name) => [name, listOf(module, fallback, name)]));
  const single = 'create' in fallback && 'options' in fallback ? [fallback] : [];
  const policies = [...lists['policies']!, ...single].map(policyOf);
  if (policies.length === 0) {
    throw new PluginShapeError(
      'exports no policies: export a list policies, or one policy by default (docs/extending.md)',
    );
  }
  refuseTwins(policies);
  return { policies };
}

function listOf(module: Unknown, fallback: Unknown, name: string): readonly unknown[] {
  const list = module[name] ?? fallback[name] ?? [];
  if (!Array.isArray(list)) throw new PluginShapeError(`exports ${name} that are not a list`);
  return list as readonly unknown[];
}

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const SCOPES: readonly unknown[] = ['listener', 'route', 'upstream'];

/** Checks a definition and fills in its defaults. @throws PluginShapeError */
export function policyOf(value: unknown): PluginPolicy {
  if (!isObject(value)) throw new PluginShapeError('has a policy that is not an object');
  const { name, scope = 'route', stage = 'shape', needs = [], budgetMs = 10, waitMs = 5000 } = value;
  if (typeof name !== 'string' || !NAME.test(name) || name.length > 63) {
    throw new PluginShapeError(`has a policy named ${JSON.stringify(name)}: names are lower-case-with-hyphens`);
  }
  const refuse = (what: string): never => {
    throw new PluginShapeError(`has a policy ${name} whose ${what}`);
  };
  for (const key of ['options', 'compile', 'create']) {
    if (typeof value[key] !== 'function') refuse(`${key} is not a function`);
  }
  if (!SCOPES.includes(scope)) refuse('scope is none of listener, route and upstream');
  if (!(POLICY_STAGES as readonly unknown[]).includes(stage)) refuse(`stage is none of ${POLICY_STAGES.join(', ')}`);
  if (!Array.isArray(needs) || !needs.every((need) => (POLICY_NEEDS as readonly unknown[]).includes(need))) {
    refuse(`needs are not a list of ${POLICY_NEEDS.join(', ')}`);
  }
  for (const [key, ms] of Object.entries({ budgetMs, waitMs })) {
    if (typeof ms !== 'number' || !(ms > 0) || ms > 600_000) refuse(`${key} is not a number of ms up to 600000`);
  }
  // Methods may use `this`: the definition stays as it is behind the defaults.
  return Object.assign(Object.create(value) as PluginPolicy, { scope, stage, needs, budgetMs, waitMs });
}

function refuseTwins(policies: readonly PluginPolicy[]): void {
  const names = policies.map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (twin !== undefined) throw new PluginShapeError(`has two policies named ${twin}`);
}

function isObject(value: unknown): value is Unknown {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
