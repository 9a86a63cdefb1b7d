// The reason for a pick, as a sentence. Pure. Thread: main.

import { stickyOf } from '../../proxy/policies/sticky-cookie.ts';
import { PICK_FAILURE, type PickRequest } from '../../core/balancer.ts';
import type { ExplainedKey } from '../../balancers/descriptor.ts';
import { balancerNamed } from '../../balancers/registry.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

export interface Pick {
  /** Slot, or one of PICK_FAILURE. */
  readonly slot: number;
  readonly by: 'sticky-cookie' | 'balancer' | 'suspect' | 'nobody';
  readonly trial: number | null;
}

export interface Circumstances {
  readonly upstream: UpstreamSnapshot;
  readonly hashKey: ExplainedKey | null;
  /** Number of endpoints with the same least load. */
  readonly equals: number;
  readonly request: PickRequest;
  readonly leadsTo: number | null;
}

export function becauseOf(pick: Pick, facts: Circumstances): string {
  const { upstream, leadsTo } = facts;
  if (pick.by === 'sticky-cookie') return `the cookie ${stickyOf(upstream)!.cookie} leads to it`;
  const before = leadsTo === null ? '' : 'the endpoint of its cookie is not available; ';
  if (pick.by === 'nobody') return `${before}${nobodyBecause(pick.slot, upstream)}`;
  if (pick.by === 'suspect') return `${before}it is suspect, and no other endpoint has room`;
  return `${before}${balancerReason(upstream, facts)}`;
}

function nobodyBecause(slot: number, { protocol, whenAllDown, timeouts, limits }: UpstreamSnapshot): string {
  const queue = `it waits up to ${timeouts.queueMs} ms in a queue of ${limits.maxQueue}`;
  if (slot === PICK_FAILURE.allBusy) return `every usable endpoint is at its limit: ${queue}`;
  if (whenAllDown === 'wait') return `no endpoint is usable: ${queue}`;
  return `no endpoint is usable: ${protocol === 'tcp' ? 'closed' : '503'} at once`;
}

function balancerReason({ balance }: UpstreamSnapshot, { hashKey, equals, request }: Circumstances): string {
  const tie = equals > 1 ? `; ${equals} are equal, and ${request.mayRetry ? 'they take turns' : 'turns decide'}` : '';
  return `${balancerNamed(balance.kind).because(balance, hashKey)}${tie}`;
}
