// Checks of an upstream's discovery sources. Nothing is read and nothing is resolved. Thread: main.

import { sourceNamed } from '../../discovery/sources.ts';
import type { UpstreamCheck } from './upstream-check.ts';

export function checkDiscover(check: UpstreamCheck): void {
  const place = { upstream: String(check.path.at(-1)), directory: check.context.directory };
  for (const [kind, options] of Object.entries(check.upstream.discover?.sources ?? {})) {
    check.reportOptions(sourceNamed(kind).check?.(options, place) ?? [], ['discover', kind]);
  }
}
