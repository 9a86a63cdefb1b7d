// Entity tags of resources that operators change, and the precondition If-Match (RFC 9110 sections 8.8.3 and 13.1.1): a
// change based on an outdated view is refused instead of undoing a newer one. Pure. Thread: main.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import { AdminError } from './admin-reply.ts';

/**
 * The tag of an endpoint covers its identity and what operators may set. Load and health are left out, or hardly any
 * change could be made under traffic. So the tag serves If-Match only; nothing is cached by it (all is `no-store`).
 */
export function endpointTag(endpoint: EndpointSnapshot, { wishes, weight }: EndpointView): string {
  return `"${endpoint.slot}.${endpoint.generation}-${wishes.operator}-${weight}"`;
}

/** The tag of the running configuration. */
export function configTag(revision: number): string {
  return `"generation-${revision}"`;
}

/** Refuses a change when the tag differs. Without If-Match there is no condition. @throws AdminError 412, 400 */
export function requireMatch(ifMatch: string | undefined, current: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  if (!/^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/.test(ifMatch)) {
    throw new AdminError(400, 'bad-if-match', 'If-Match takes entity tags in quotes, or *');
  }
  // The comparison is strong: a tag that a cache has weakened matches nothing.
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes(current)) return;
  const message = 'the resource has changed since its entity tag was issued: read it again, then decide';
  throw new AdminError(412, 'changed-meanwhile', message, { details: { current }, fields: { ETag: current } });
}
