// Lists of endpoints outside the configuration, in YAML or JSON: read in bounded time, with every mistake located.
// Thread: main.

import type { DiscoveredEndpoint, ListOutcome, SourceContext, SourceFiles } from '../../discovery/source.ts';
import type { Finding, Span } from '../problems/problem.ts';
import { findingsOf } from '../schema/schema-findings.ts';
import { endpointInList, endpointList } from '../schema/schema-upstreams.ts';
import { SourceText } from '../yaml/source-text.ts';
import { buildTree } from '../yaml/tree-builder.ts';
import { parseYaml } from '../yaml/yaml-text.ts';
import { readConfigFile } from './config-file.ts';
import { FileWatch } from './file-watch.ts';

/** @param name of the text in messages */
export function parseEndpointList(text: string, name: string): ListOutcome {
  const endpoints = readJsonList(text);
  return endpoints === null ? parseYamlList(text, name) : { ok: true, endpoints };
}

/** Escapes, variables, merge keys, control characters and forbidden keys: YAML reads them in another way than JSON, or refuses them. */
const OTHER_THAN_YAML = /[\\$<\t\r\x7F-\x9F]|__proto__/;

/**
 * Reads a list that programs have written, in a tenth of the time that YAML takes. Null for any other one, and for one with a
 * mistake, which YAML locates.
 */
function readJsonList(text: string): readonly DiscoveredEndpoint[] | null {
  const isPlain = /^[ \n]*\[/.test(text) && !OTHER_THAN_YAML.test(text);
  const items = isPlain ? jsonOf(text) : null;
  // JSON takes the last of several equal keys, and YAML refuses them.
  if (!Array.isArray(items) || quotesIn(JSON.stringify(items)) !== quotesIn(text)) return null;
  const endpoints: DiscoveredEndpoint[] = [];
  for (const item of items) {
    const parsed = endpointInList.safeParse(item);
    if (!parsed.success) return null;
    endpoints.push(discovered(parsed.data));
  }
  return endpoints;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function quotesIn(text: string): number {
  return text.split('"').length;
}

function parseYamlList(text: string, name: string): ListOutcome {
  const source = new SourceText(text, name);
  const refuse = ({
    span,
    finding,
  }: {
    readonly span: Span;
    readonly finding: Pick<Finding, 'message'>;
  }): ListOutcome => {
    return { ok: false, cause: `${name}:${span.line}:${span.column}: ${finding.message}` };
  };
  const yaml = parseYaml(source);
  if (!yaml.ok) return refuse(yaml.findings[0]!);
  const { tree, findings } = buildTree(source, yaml.document, {});
  if (findings.length > 0) return refuse(findings[0]!);
  const parsed = endpointList.safeParse(tree.root);
  if (parsed.success) return { ok: true, endpoints: parsed.data.map(discovered) };
  const [finding] = findingsOf(parsed.error.issues, endpointList, tree);
  if (finding === undefined) return { ok: false, cause: `${name}: this is no list of endpoints` };
  const { span } = tree.placeOf(finding.path, finding.part ?? 'value', finding.mark);
  return refuse({ span, finding });
}

type ListedEndpoint = ReturnType<typeof endpointList.parse>[number];

function discovered({ url, weight, backup, zone, metadata }: ListedEndpoint): DiscoveredEndpoint {
  const { protocol, host, port, socketPath } = url;
  return { protocol, host, port, socketPath, weight, backup, zone, metadata };
}

/** Files of the machine, for sources that read lists from some. */
export function listFiles({ timers, clock, random }: Pick<SourceContext, 'timers' | 'clock' | 'random'>): SourceFiles {
  return {
    watch(file, onChange) {
      const watching = new FileWatch({
        timers,
        random,
        nowMs: () => clock.nowMs(),
        onChange: () => Promise.resolve(onChange()),
        // The last good list stays in use, and the source reports that it is an old one.
        isMissingAChange: true,
      });
      watching.watch(null, [file]);
      return () => watching.stop();
    },
    readText(file) {
      const read = readConfigFile(file);
      if ('text' in read) return read.text;
      throw new Error(read.reason);
    },
  };
}
