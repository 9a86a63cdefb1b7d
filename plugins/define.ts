// The package's entry `fairlead/plugin`: the functions and types that plugins are written with. Loads nothing of
// Fairlead besides, for every worker loads it with the plugin. Thread: both.

import { type BalancerDescriptor, defineBalancer } from '../balancers/descriptor.ts';
import { definePolicy, type PolicyDefinition } from '../core/policy/policy-definition.ts';
import type { OptionShape } from '../core/option-schema.ts';
import { defineLogFormat, type LogFormatDescriptor } from '../logging/access/format-descriptor.ts';

export { defineBalancer, defineLogFormat, definePolicy };

/** What a plugin provides: its named exports, or its default export. */
export interface Plugin {
  readonly policies?: readonly PolicyDefinition<OptionShape, unknown>[];
  readonly balancers?: readonly BalancerDescriptor[];
  readonly logFormats?: readonly LogFormatDescriptor[];
}

/** Checks the type of a plugin's default export. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}
