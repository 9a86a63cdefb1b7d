// Fairlead's recommended settings for fast failover, read from docs/operations.md, so that the document and the chaos run
// can't differ. Thread: main.

import { readFileSync } from 'node:fs';
import { SourceText } from '../../config/yaml/source-text.ts';
import { parseYaml } from '../../config/yaml/yaml-text.ts';

export type Settings = Readonly<Record<string, unknown>>;

export interface UpstreamSettings extends Settings {
  readonly health: { readonly heartbeat: Settings; readonly passive: Settings };
  readonly retry: Settings;
  readonly timeouts: Settings;
}

const PAGE = new URL('../../docs/operations.md', import.meta.url);
const HEADING = '## Fast failover\n';

/** Returns the YAML of the section. @throws Error when the page has no such section or no YAML in it */
export function recommendedYaml(page = readFileSync(PAGE, 'utf8')): string {
  const [, after] = page.split(`\n${HEADING}`);
  const section = after?.split('\n## ')[0];
  const yaml = section === undefined ? undefined : /^```yaml\n(.*?)^```/ms.exec(section)?.[1];
  if (yaml === undefined) throw new Error('docs/operations.md has no YAML in its section "Fast failover"');
  return yaml;
}

/** Returns a copy of the settings of the upstream in that YAML. @throws Error when it is not valid YAML */
export function recommendedUpstream(): UpstreamSettings {
  const yaml = parseYaml(new SourceText(recommendedYaml()));
  if (!yaml.ok) throw new Error('docs/operations.md: the YAML of "Fast failover" has a syntax error');
  const { upstreams } = yaml.document.toJS() as { upstreams: { app: UpstreamSettings } };
  return upstreams.app;
}
