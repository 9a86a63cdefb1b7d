// A listener, route or upstream that has policies, and the context in which one of them is compiled. Thread: main.

import type { CompileContext, OptionProblem, PolicyScope } from '../../core/policy/policy-definition.ts';
import type { PolicyNeed, PolicyStage } from '../../core/policy/policy-stage.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { CheckContext } from '../validate/parsed-config.ts';
import { compileTemplate } from './compile-template.ts';

export interface PolicyPlace {
  readonly scope: PolicyScope;
  /** Name of the listener, route or upstream. */
  readonly owner: string;
  readonly hasUpstream: boolean;
  /** See CompileContext. */
  readonly loggedFields: readonly string[];
  readonly tracing: CompileContext['tracing'];
  readonly path: KeyPath;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A policy before it has its block in shared memory. */
export interface CompiledPolicy {
  readonly name: string;
  readonly stage: PolicyStage;
  readonly needs: readonly PolicyNeed[];
  readonly data: unknown;
}

/** @param base path of the options in the file */
export function compileContext(place: PolicyPlace, base: KeyPath, context: CheckContext): CompileContext {
  const { scope, owner, hasUpstream, loggedFields, tracing } = place;
  const report = ({ path = [], part = 'value', code = 'FL3012', ...problem }: OptionProblem): void =>
    context.report({ ...problem, code, path: [...base, ...path], part });
  return {
    scope,
    owner,
    hasUpstream,
    loggedFields,
    tracing,
    directory: context.directory,
    report,
    template: (text, use) => compileTemplate(text, use, context.environment, report),
    shared: (key, make) => sharedIn(context.files, key, make),
    readFile: (name, path = []) => {
      const read = context.files.read(name);
      if (read.ok) return read.text;
      report({ code: 'FL4001', message: `the file ${name} ${read.reason}`, path });
      return null;
    },
  };
}

/** Values by key, for each load: it has files of its own. */
const SHARED = new WeakMap<object, Map<string, unknown>>();

function sharedIn<Value>(load: object, key: string, make: () => Value): Value {
  let values = SHARED.get(load);
  if (values === undefined) SHARED.set(load, (values = new Map()));
  if (!values.has(key)) values.set(key, make());
  return values.get(key) as Value;
}
