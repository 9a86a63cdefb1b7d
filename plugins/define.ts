// The package's entry `fairlead/plugin`: the functions and types that plugins are written with. Imports nothing else of
// Fairlead: every worker loads it with the plugin. Thread: both.

import '../core/supported-node.ts';
import { CandidateTable } from '../balancers/candidate-table.ts';
import { type BalancerDescriptor, defineBalancer } from '../balancers/descriptor.ts';
import type { OptionShape } from '../core/option-schema.ts';
import { definePolicy, type PolicyDefinition } from '../core/policy/policy-definition.ts';
import { type CheckerDescriptor, defineChecker } from '../health/checkers/checker.ts';
import { defineLogFormat, type LogFormatDescriptor } from '../logging/access/format-descriptor.ts';

export { CandidateTable, defineBalancer, defineChecker, defineLogFormat, definePolicy };

/** The parts that a plugin provides, as named exports or in its default export. */
export interface Plugin {
  readonly policies?: readonly PolicyDefinition<OptionShape, unknown>[];
  readonly balancers?: readonly BalancerDescriptor[];
  readonly checkers?: readonly CheckerDescriptor[];
  readonly logFormats?: readonly LogFormatDescriptor[];
}

/** Checks the type of a plugin's default export. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}
