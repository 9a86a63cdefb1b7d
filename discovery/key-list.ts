// Lists of endpoints in a key-value store: each key below a prefix holds one endpoint or a list of them. Thread: main.

import type { DiscoveredEndpoint, ListOutcome, SourceContext } from './source.ts';

/** A key and its value as text. */
export interface StoredValue {
  readonly key: string;
  readonly value: string;
}

/** The endpoints of all keys in their order, or the mistake of the first one that has one. */
export function endpointsOfKeys(values: readonly StoredValue[], parseList: SourceContext['parseList']): ListOutcome {
  const endpoints: DiscoveredEndpoint[] = [];
  for (const { key, value } of values) {
    const list = parseList(asList(value), `key ${key}`);
    if (!list.ok) return list;
    endpoints.push(...list.endpoints);
  }
  return { ok: true, endpoints };
}

/** A value that is no list, such as a URL or a mapping, is the only item of one. */
function asList(value: string): string {
  const text = value.trim();
  if (text.startsWith('[') || /^-(?:\s|$)/.test(text)) return text;
  return `- ${text.replaceAll('\n', '\n  ')}`;
}
