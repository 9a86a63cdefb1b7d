// Context of the checks of one upstream: its settings, its written values, and reporting. Thread: main.

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

  /** Whether a value is written at a path within the upstream, rather than defaulted. */
  isGiven(path: KeyPath): boolean {
    return this.valueAt(path) !== undefined;
  }

  /** The value written at a path within the upstream. */
  valueAt(path: KeyPath): unknown {
    return this.context.tree.valueAt([...this.path, ...path]);
  }

  /** The first of `keys` that is written in the file, as the location of a report. */
  givenOf(path: KeyPath, keys: readonly [string, ...string[]]): string {
    return keys.find((key) => this.isGiven([...path, key])) ?? keys[0];
  }

  report(code: ProblemCode, message: string, path: KeyPath, part: 'key' | 'value' = 'value'): void {
    this.context.report({ code, message, path: [...this.path, ...path], part });
  }

  /** @param path of the mapping that contains the options */
  reportOptions(problems: readonly OptionProblem[], path: KeyPath): void {
    for (const { code, message, path: inner, isKey = false } of problems) {
      this.report(code, message, [...path, ...inner], isKey ? 'key' : 'value');
    }
  }

  /** @param why continues "KEY has no effect: " */
  reportNoEffect(path: KeyPath, why: string, part: 'key' | 'value' = 'value'): void {
    this.report('FL9004', `${String(path.at(-1))} has no effect: ${why}`, path, part);
  }

  /** @param why continues "KEY is not allowed " */
  reportMisplaced(path: KeyPath, why: string): void {
    this.report('FL3007', `${quoted(String(path.at(-1)))} is not allowed ${why}`, path, 'key');
  }
}
