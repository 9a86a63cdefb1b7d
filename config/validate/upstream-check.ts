// What the checks of one upstream share: its settings, what of them was written, and where to report. Thread: main.

import type { OptionProblem } from '../../core/option-schema.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath, ProblemCode } from '../problems/problem.ts';
import type { UpstreamConfig } from '../schema/schema-upstreams.ts';

export class UpstreamCheck {
  readonly upstream: UpstreamConfig;
  readonly path: KeyPath;
  readonly context: CheckContext;

  constructor(upstream: UpstreamConfig, path: KeyPath, context: CheckContext) {
    this.upstream = upstream;
    this.path = path;
    this.context = context;
  }

  /** Whether something is written at a path within the upstream, rather than a default. */
  isGiven(path: KeyPath): boolean {
    return this.valueAt(path) !== undefined;
  }

  /** What is written at a path within the upstream. */
  valueAt(path: KeyPath): unknown {
    return this.context.tree.valueAt([...this.path, ...path]);
  }

  /** The first key that is written in the file, for pointing at. */
  givenOf(path: KeyPath, keys: readonly [string, ...string[]]): string {
    return keys.find((key) => this.isGiven([...path, key])) ?? keys[0];
  }

  report(code: ProblemCode, message: string, path: KeyPath, part: 'key' | 'value' = 'value'): void {
    this.context.report({ code, message, path: [...this.path, ...path], part });
  }

  /** @param path of the mapping that holds the options */
  reportOptions(problems: readonly OptionProblem[], path: KeyPath): void {
    for (const { code, message, path: inner, isKey = false } of problems) {
      this.report(code, message, [...path, ...inner], isKey ? 'key' : 'value');
    }
  }

  /** @param why goes on after "KEY has no effect: " */
  reportNoEffect(path: KeyPath, why: string, part: 'key' | 'value' = 'value'): void {
    this.report('FL9004', `${String(path.at(-1))} has no effect: ${why}`, path, part);
  }

  /** @param why goes on after "KEY has no place " */
  reportMisplaced(path: KeyPath, why: string): void {
    this.report('FL3007', `${quoted(String(path.at(-1)))} has no place ${why}`, path, 'key');
  }
}
