// Lists of endpoints outside the configuration, in YAML or JSON: read in bounded time, with every mistake located.
// Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Timers } from '../../core/timers.ts';
import type { DiscoveredEndpoint, ListOutcome, SourceFiles } from '../../discovery/source.ts';
import type { Finding, Span } from '../problems/problem.ts';
import { findingsOf } from '../schema/schema-findings.ts';
import { endpointList } from '../schema/schema-upstreams.ts';
import { SourceText } from '../yaml/source-text.ts';
import { buildTree } from '../yaml/tree-builder.ts';
import { parseYaml } from '../yaml/yaml-text.ts';
import { readConfigFile } from './config-file.ts';
import { FileWatch } from './file-watch.ts';

/** @param name of the text in messages */
export function parseEndpointList(text: string, name: string): ListOutcome {
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
export function listFiles({ timers, clock }: { readonly timers: Timers; readonly clock: Clock }): SourceFiles {
  return {
    watch(file, onChange) {
      const watching = new FileWatch({
        timers,
        nowMs: () => clock.nowMs(),
        onChange: () => Promise.resolve(onChange()),
      });
      watching.watch(file, []);
      return () => watching.stop();
    },
    readText(file) {
      const read = readConfigFile(file);
      if ('text' in read) return read.text;
      throw new Error(read.reason);
    },
  };
}
