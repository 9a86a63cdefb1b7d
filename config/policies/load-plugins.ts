// Loads the plugins that a configuration names, and registers what they provide: the schema of the rest of the file
// depends on it. Thread: main.

import path from 'node:path';
import { installBalancer } from '../../balancers/registry.ts';
import type { PluginPolicy } from '../../core/policy/policy-definition.ts';
import type { PluginSnapshot } from '../../core/snapshot/policy.ts';
import { installChecker } from '../../health/checkers/checkers.ts';
import { installLogFormat } from '../../logging/access/log-formats.ts';
import { digestOf, loadPlugin } from '../../plugins/plugin-library.ts';
import type { PluginParts } from '../../plugins/plugin-parts.ts';
import { POLICIES } from '../../proxy/policies/registry.ts';
import type { ReferencedFiles } from '../files/referenced-files.ts';
import type { Finding, ProblemCode } from '../problems/problem.ts';
import type { SourceTree } from '../yaml/source-tree.ts';

/** The plugins of a configuration, and their policies by name. */
export interface LoadedPlugins {
  readonly plugins: readonly PluginSnapshot[];
  readonly policies: ReadonlyMap<string, PluginPolicy>;
}

/** The file that names the plugins. */
export interface PluginSource {
  readonly tree: SourceTree;
  readonly files: ReferencedFiles;
  readonly directory: string;
  readonly report: (finding: Finding) => void;
}

/** Reports every plugin that can't be loaded, and every name that is taken. */
export function loadPlugins({ tree, files, directory, report }: PluginSource): LoadedPlugins {
  const plugins: PluginSnapshot[] = [];
  const policies = new Map<string, PluginPolicy>();
  const written = tree.valueAt(['plugins']);
  for (const [index, name] of (Array.isArray(written) ? (written as unknown[]) : []).entries()) {
    if (typeof name !== 'string') continue;
    const refuse = (code: ProblemCode, what: string): void =>
      report({ code, message: `the plugin ${name} ${what}`, path: ['plugins', index] });
    const read = files.read(name);
    if (!read.ok) {
      refuse('FL4001', read.reason);
      continue;
    }
    const plugin = { file: path.resolve(directory, name), digest: digestOf(read.text) };
    const load = loadPlugin(plugin);
    if (!load.ok) {
      refuse('FL4005', load.reason);
      continue;
    }
    plugins.push(plugin);
    for (const policy of load.parts.policies) {
      if (isTaken(policy.name, policies))
        refuse('FL3003', `defines the policy ${policy.name}, and so does Fairlead or a plugin before it`);
      else policies.set(policy.name, policy);
    }
    install(load.parts, (message) => refuse('FL3003', `cannot be used: ${message}`));
  }
  return { plugins, policies };
}

function isTaken(name: string, policies: ReadonlyMap<string, PluginPolicy>): boolean {
  return policies.has(name) || POLICIES.some((policy) => policy.name === name);
}

function install({ balancers, checkers, logFormats }: PluginParts, onTaken: (message: string) => void): void {
  try {
    for (const balancer of balancers) installBalancer(balancer);
    for (const checker of checkers) installChecker(checker);
    for (const format of logFormats) installLogFormat(format);
  } catch (error) {
    onTaken((error as Error).message);
  }
}
