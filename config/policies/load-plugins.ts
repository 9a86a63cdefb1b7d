// Loads the plugins of a configuration. Thread: main.

import path from 'node:path';
import type { PluginPolicy } from '../../core/policy/policy-definition.ts';
import type { PluginSnapshot } from '../../core/snapshot/policy.ts';
import { digestOf, loadPlugin } from '../../plugins/plugin-library.ts';
import { POLICIES } from '../../proxy/policies/registry.ts';
import type { ProblemCode } from '../problems/problem.ts';
import type { CheckContext } from '../validate/parsed-config.ts';

/** The plugins of a configuration, and their policies by name. */
export interface LoadedPlugins {
  readonly plugins: readonly PluginSnapshot[];
  readonly policies: ReadonlyMap<string, PluginPolicy>;
}

/** Loads all plugins, and reports those that can't be loaded and duplicate policy names. */
export function loadPlugins(context: CheckContext): LoadedPlugins {
  const plugins: PluginSnapshot[] = [];
  const policies = new Map<string, PluginPolicy>();
  const written = context.tree.valueAt(['plugins']);
  for (const [index, name] of (Array.isArray(written) ? (written as unknown[]) : []).entries()) {
    if (typeof name !== 'string') continue;
    const report = (code: ProblemCode, what: string): void =>
      context.report({ code, message: `the plugin ${name} ${what}`, path: ['plugins', index] });
    const read = context.files.read(name);
    if (!read.ok) {
      report('FL4001', read.reason);
      continue;
    }
    const plugin = { file: path.resolve(context.directory, name), digest: digestOf(read.text) };
    const load = loadPlugin(plugin);
    if (!load.ok) {
      report('FL4005', load.reason);
      continue;
    }
    plugins.push(plugin);
    for (const policy of load.parts.policies) {
      if (isTaken(policy.name, policies))
        report('FL3003', `defines the policy ${policy.name}, and so does Fairlead or a plugin before it`);
      else policies.set(policy.name, policy);
    }
  }
  return { plugins, policies };
}

function isTaken(name: string, policies: ReadonlyMap<string, PluginPolicy>): boolean {
  return policies.has(name) || POLICIES.some((policy) => policy.name === name);
}
