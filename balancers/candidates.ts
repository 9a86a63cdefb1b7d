// Candidates: which endpoints of an upstream a pick may use now, by tier and availability. Thread: both.

import { AVAILABILITY, AVAILABILITY_NAMES, type Availability } from '../core/availability.ts';
import type { Candidate } from '../core/balancer.ts';
import { E_AVAILABILITY, E_FACTOR, E_WEIGHT } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { EndpointSnapshot, UpstreamSnapshot } from '../core/snapshot.ts';

/** Primaries get the traffic; backups only while no primary is usable. */
export type TierName = 'primary' | 'backup';

/** The configured members of both tiers, in configured order, with the weights of one moment. */
export interface ConfiguredTiers {
  readonly primary: readonly Candidate[];
  readonly backup: readonly Candidate[];
}

/** What a balancer is built for. Immutable. */
export interface Candidates {
  readonly tier: TierName;
  /**
   * Configured members of the tier in use, usable or not. The same array as long as membership and weights stay,
   * so that what is built from it alone (a Maglev table) can be kept over changes of availability.
   */
  readonly members: readonly Candidate[];
  /** Those of `members` that a pick may return, in configured order. Empty: every pick fails at once. */
  readonly usable: readonly Candidate[];
  readonly configured: ConfiguredTiers;
}

/**
 * The one place that says which availability a pick may use.
 *
 * | availability | usable | because |
 * |---|---|---|
 * | up | yes | |
 * | suspect | yes | as if up: nothing but a first failure speaks against it, and its heartbeat decides at once |
 * | halfOpen | yes | but for one request at a time: `CandidateTable.hasRoom` reads the token |
 * | ejected, down, drain, unresolved, maintenance | no | |
 */
export function isUsable(availability: Availability): boolean {
  return availability === 'up' || availability === 'suspect' || availability === 'halfOpen';
}

const USABLE_BY_NUMBER: readonly boolean[] = AVAILABILITY_NAMES.map(isUsable);

/**
 * Reads weights and availabilities from shared memory and chooses the tier. The policy when all are down is `fail`:
 * nothing is usable, and the exchange answers 503 at once.
 * @param previous what this function returned for the same upstream last time, or null: its member lists are kept
 *   where no weight has changed.
 */
export function selectCandidates(upstream: UpstreamSnapshot, region: Region, previous: Candidates | null): Candidates {
  const configured = configuredTiers(upstream, region, previous?.configured ?? null);
  const primary = configured.primary.filter((member) => isMemberUsable(region, member));
  if (primary.length > 0) return { tier: 'primary', members: configured.primary, usable: primary, configured };
  const backup = configured.backup.filter((member) => isMemberUsable(region, member));
  if (backup.length > 0) return { tier: 'backup', members: configured.backup, usable: backup, configured };
  return { tier: 'primary', members: configured.primary, usable: [], configured };
}

/** An endpoint whose dynamic factor is zero gets nothing, whatever its availability. */
function isMemberUsable(region: Region, member: Candidate): boolean {
  const word = region.endpointWord(member.slot);
  const availability = region.words[word + E_AVAILABILITY] ?? AVAILABILITY.maintenance;
  return USABLE_BY_NUMBER[availability] === true && region.words[word + E_FACTOR]! > 0;
}

function configuredTiers(
  upstream: UpstreamSnapshot,
  region: Region,
  previous: ConfiguredTiers | null,
): ConfiguredTiers {
  if (previous !== null && hasWeightsOf(previous.primary, region) && hasWeightsOf(previous.backup, region)) {
    return previous;
  }
  const primary: Candidate[] = [];
  const backup: Candidate[] = [];
  for (const endpoint of upstream.endpoints) {
    const { slot, id } = endpoint;
    (endpoint.backup ? backup : primary).push({ slot, id, weight: weightOf(region, endpoint) });
  }
  return { primary, backup };
}

/** The shared weight, which an operator may have set; the configured one where main has written none yet. */
function weightOf(region: Region, endpoint: EndpointSnapshot): number {
  return region.words[region.endpointWord(endpoint.slot) + E_WEIGHT]! || endpoint.weight;
}

function hasWeightsOf(members: readonly Candidate[], region: Region): boolean {
  return members.every((member) => {
    const shared = region.words[region.endpointWord(member.slot) + E_WEIGHT]!;
    return shared === member.weight || shared === 0;
  });
}
