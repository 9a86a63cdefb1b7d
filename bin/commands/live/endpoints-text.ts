// Text of `fairlead endpoints`. Pure. Thread: main.

import type { AddedEndpointReply, SourceReply, UpstreamReply } from '../../../admin/api/reply-schemas.ts';
import { alignedLines } from '../aligned-lines.ts';
import { plainText } from '../explain/why-text.ts';

const HEAD = ['ENDPOINT', 'ORIGIN', 'ZONE', 'WEIGHT', 'STATE', 'LABELS'];

/** A table of endpoints, then the sources that need attention. */
export function endpointLines(upstreams: readonly UpstreamReply[]): string[] {
  const rows = upstreams.flatMap(({ name, endpoints }) => endpoints.map((endpoint) => cellsOf(name, endpoint)));
  const table = rows.length === 0 ? ['no endpoints'] : alignedLines([HEAD, ...rows]);
  const sources = upstreams.flatMap(({ name, sources: all }) => all.flatMap((one) => sourceLines(name, one)));
  return sources.length === 0 ? table : [...table, '', ...sources];
}

function cellsOf(upstream: string, endpoint: UpstreamReply['endpoints'][number]): string[] {
  const { name, origin, zone, weight, backup, availability, metadata } = endpoint;
  const labels = labelWords(metadata);
  const cells = [
    `${upstream}/${name}`,
    origin,
    zone === '' ? '-' : zone,
    `${weight}${backup ? ' (backup)' : ''}`,
    availability,
    labels === '' ? '-' : labels,
  ];
  return cells.map(plainText);
}

/** A source that isn't current. */
function sourceLines(upstream: string, { source, subject, state, cause, endpoints }: SourceReply): string[] {
  if (state === 'current') return [];
  const kept = state === 'pending' ? 'no endpoint is known yet' : `${endpoints} endpoint(s) are kept`;
  return [plainText(`source ${source} ${subject} of upstream ${upstream} is ${state}: ${cause}; ${kept}`)];
}

/** `version=7, role=web`. */
function labelWords(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** The outcome of an addition. */
export function addedLine(reply: AddedEndpointReply): string {
  const { upstream, endpoint, weight, backup, zone, keptOverRestarts } = reply;
  const tier = backup ? ' as a backup' : '';
  const place = zone === '' ? '' : ` in zone ${zone}`;
  const life = keptOverRestarts
    ? 'it is kept over reloads and restarts'
    : 'it is kept over reloads, but lost at a restart: set health.stateFile to keep it';
  return plainText(`${upstream}/${endpoint} added with weight ${weight}${tier}${place}; ${life}`);
}
