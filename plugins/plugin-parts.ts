// The parts of a plugin's module, checked for their shape. Thread: both.

import type { BalancerDescriptor } from '../balancers/descriptor.ts';
import type { CheckerDescriptor } from '../health/checkers/checker.ts';
import type { LogFormatDescriptor } from '../logging/access/format-descriptor.ts';
import type { PluginPolicy } from '../core/policy/policy-definition.ts';
import { POLICY_NEEDS, POLICY_STAGES } from '../core/policy/policy-stage.ts';

/** Parts that a plugin provides. */
export interface PluginParts {
  readonly policies: readonly PluginPolicy[];
  readonly balancers: readonly BalancerDescriptor[];
  readonly checkers: readonly CheckerDescriptor[];
  readonly logFormats: readonly LogFormatDescriptor[];
}

interface NamedDescriptor {
  readonly name: string;
}

/** The module is no plugin; the message follows "the plugin FILE". */
export class PluginShapeError extends Error {
  override readonly name = 'PluginShapeError';
}

type Unknown = Readonly<Record<string, unknown>>;

/** Functions that the descriptors of each list must have. */
const FUNCTIONS = {
  balancers: ['options', 'compile', 'build', 'because'],
  checkers: ['options', 'compile', 'run', 'describe', 'covers'],
  logFormats: ['options', 'compile', 'build'],
} as const;

/**
 * A module exports lists (`policies`, `balancers`, `checkers`, `logFormats`), has them in its default export, or exports
 * one policy by default.
 * @throws PluginShapeError
 */
export function partsOfModule(module: unknown): PluginParts {
  if (!isObject(module)) throw new PluginShapeError('exports nothing');
  const fallback = isObject(module['default']) ? module['default'] : {};
  const list = (name: string) => listOf(module, fallback, name);
  const single = 'create' in fallback && 'options' in fallback ? [fallback] : [];
  const parts = {
    policies: [...list('policies'), ...single].map(policyOf),
    balancers: list('balancers').map((value) => descriptorOf(value, 'balancers') as BalancerDescriptor),
    checkers: list('checkers').map((value) => descriptorOf(value, 'checkers') as CheckerDescriptor),
    logFormats: list('logFormats').map((value) => descriptorOf(value, 'logFormats') as LogFormatDescriptor),
  };
  if (Object.values(parts).every(({ length }) => length === 0)) {
    throw new PluginShapeError(
      'exports nothing that a plugin provides: export a list policies, balancers, checkers or logFormats (docs/extending.md)',
    );
  }
  for (const [kind, all] of Object.entries(parts)) refuseTwins(kind, all);
  return parts;
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

function descriptorOf(value: unknown, list: keyof typeof FUNCTIONS): NamedDescriptor {
  if (!isObject(value)) throw new PluginShapeError(`exports ${list} of which one is not an object`);
  const { name } = value;
  if (typeof name !== 'string' || !NAME.test(name) || name.length > 63) {
    throw new PluginShapeError(
      `exports ${list} with the name ${JSON.stringify(name)}: names are lower-case-with-hyphens`,
    );
  }
  for (const key of FUNCTIONS[list]) {
    if (typeof value[key] !== 'function') {
      throw new PluginShapeError(`exports ${list} of which ${name} has a ${key} that is not a function`);
    }
  }
  return value as Unknown & NamedDescriptor;
}

function refuseTwins(kind: string, all: readonly NamedDescriptor[]): void {
  const names = all.map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (twin !== undefined) throw new PluginShapeError(`has two ${kind} named ${twin}`);
}

function isObject(value: unknown): value is Unknown {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
