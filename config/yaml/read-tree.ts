// Reads a YAML text to its values and their places: by the reader of plain YAML where that suffices, otherwise by the full
// parser, which also reports the problems. Thread: main.

import type { Environment } from './environment.ts';
import type { Places } from './places.ts';
import { readPlainYaml } from './plain-yaml.ts';
import type { SourceText } from './source-text.ts';
import { type BuiltTree, buildTree } from './tree-builder.ts';
import { parseYaml, type YamlOutcome } from './yaml-text.ts';

export type TreeOutcome = (BuiltTree & { readonly ok: true }) | Extract<YamlOutcome, { ok: false }>;

/** @param places shared by the files of one configuration */
export function readTree(source: SourceText, environment: Environment, places: Places): TreeOutcome {
  const plain = readPlainYaml(source, environment, places);
  if (plain !== null) return { ok: true, tree: plain, findings: [] };
  const yaml = parseYaml(source);
  return yaml.ok ? { ok: true, ...buildTree(source, yaml.document, environment, places) } : yaml;
}
