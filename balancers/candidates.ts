// Candidates: which endpoints of an upstream a pick may use now, by tier and availability. Thread: both.

import { AVAILABILITY, AVAILABILITY_NAMES, type Availability } from '../core/availability.ts';
import type { Candidate } from '../core/balancer.ts';
import { E_AVAILABILITY, E_FACTOR, E_SUSPECT, E_WEIGHT, SUSPICION } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';

/** Primaries get the traffic; backups while no primary is usable; both while too few primaries are. */
export type TierName = 'primary' | 'backup' | 'both';

/** The configured members of the tiers, in configured order, with the weights of one moment. */
export interface ConfiguredTiers {
  readonly primary: readonly Candidate[];
  readonly backup: readonly Candidate[];
  readonly both: readonly Candidate[];
}

/** Input of a balancer. Immutable. */
export interface Candidates {
  readonly tier: TierName;
  /**
   * Configured members of the tier in use, usable or not. The same array as long as membership and weights stay,
   * so that what is built from it alone (a Maglev table) can be kept over changes of availability.
   */
  readonly members: readonly Candidate[];
  /** Those of `members` that a pick may return, in configured order. Empty: every pick fails at once. */
  readonly usable: readonly Candidate[];
  /** Usable endpoints with an unconfirmed first failure. They are in `usable` only if no other endpoint is. */
  readonly suspects: readonly Candidate[];
  /** Whether every endpoint in `usable` has just failed: its heartbeat has not decided yet. */
  readonly isDoubtful: boolean;
  /** Ejected or down endpoints, tried once when no other endpoint is left. */
  readonly lastResort: readonly Candidate[];
  readonly configured: ConfiguredTiers;
}

/** Percentage points above the threshold at which the backups are released: hysteresis. */
const HYSTERESIS_PERCENT = 10;

/**
 * The only definition of the availabilities that a pick may use.
 *
 * | availability | usable | because |
 * |---|---|---|
 * | up | yes | |
 * | suspect | yes | but only for canaries, while others are usable: see UpstreamPicker |
 * | halfOpen | yes | but for one request at a time: `CandidateTable.hasRoom` reads the token |
 * | ejected, down, drain, unresolved, maintenance | no | |
 */
export function isUsable(availability: Availability): boolean {
  return availability === 'up' || availability === 'suspect' || availability === 'halfOpen';
}

/** Availabilities that `try-all` uses: it ignores health, but not the operator or the resolver. */
function isTriedAnyway(availability: Availability): boolean {
  return availability === 'down' || availability === 'ejected' || isUsable(availability);
}

const USABLE_BY_NUMBER: readonly boolean[] = AVAILABILITY_NAMES.map(isUsable);
const TRIED_BY_NUMBER: readonly boolean[] = AVAILABILITY_NAMES.map(isTriedAnyway);

/**
 * Reads weights and availabilities from shared memory and chooses the tier. Where nothing is usable the upstream's
 * policy decides: with `try-all` all endpoints are candidates except those in drain or maintenance; otherwise there is no candidate.
 * @param previous what this function returned for the same upstream last time, or null: its member lists are kept
 *   where no weight has changed.
 * @param keepsSlow whether endpoints that are suspect for being slow stay usable: the upstream hashes
 */
export function selectCandidates(
  upstream: UpstreamSnapshot,
  region: Region,
  previous: Candidates | null,
  keepsSlow = false,
): Candidates {
  const configured = configuredTiers(upstream, region, previous?.configured ?? null);
  const tier = selectTier(upstream, region, configured, previous?.tier ?? 'primary');
  const members = configured[tier];
  const usable = members.filter((member) => isMemberUsable(region, member, USABLE_BY_NUMBER));
  if (usable.length === 0 && upstream.whenAllDown === 'try-all') {
    const tried = configured.both.filter((member) => isMemberUsable(region, member, TRIED_BY_NUMBER));
    const none = { suspects: [], isDoubtful: false, lastResort: [] };
    return { tier: 'both', members: configured.both, usable: tried, ...none, configured };
  }
  // Sets: list searches would take seconds when many of 10,000 endpoints change within a minute.
  const used = new Set(usable);
  const hasLastResort = upstream.heartbeat?.isDecisive !== true;
  const lastResort = configured.both.filter(
    (member) => hasLastResort && !used.has(member) && isMemberUsable(region, member, TRIED_BY_NUMBER),
  );
  const clear = usable.filter((member) => !isSuspect(region, member.slot, keepsSlow));
  if (clear.length === 0) {
    const isDoubtful = usable.length > 0 && usable.every((member) => hasFailed(region, member.slot));
    return { tier, members, usable, suspects: [], isDoubtful, lastResort, configured };
  }
  const cleared = new Set(clear);
  const suspects = usable.filter((member) => !cleared.has(member));
  return { tier, members, usable: clear, suspects, isDoubtful: false, lastResort, configured };
}

/**
 * Whether a worker has marked the endpoint, or main has adopted the mark. A mark for being slow moves no keys of an upstream
 * that hashes: they would move back a moment later.
 */
function isSuspect(region: Region, slot: number, keepsSlow: boolean): boolean {
  const word = region.endpointWord(slot);
  const suspicion = region.words[word + E_SUSPECT];
  if (keepsSlow && suspicion === SUSPICION.slow) return false;
  return suspicion !== SUSPICION.none || region.words[word + E_AVAILABILITY] === AVAILABILITY.suspect;
}

/** Whether the endpoint is suspect for a failure: being slow isn't one. */
function hasFailed(region: Region, slot: number): boolean {
  return region.words[region.endpointWord(slot) + E_SUSPECT] === SUSPICION.failure;
}

/** An endpoint with a dynamic factor of zero receives no requests, whatever its availability. */
function isMemberUsable(region: Region, member: Candidate, byNumber: readonly boolean[]): boolean {
  const word = region.endpointWord(member.slot);
  const availability = region.words[word + E_AVAILABILITY] ?? AVAILABILITY.maintenance;
  return byNumber[availability] === true && region.words[word + E_FACTOR]! > 0;
}

function selectTier(
  upstream: UpstreamSnapshot,
  region: Region,
  configured: ConfiguredTiers,
  previous: TierName,
): TierName {
  if (configured.backup.length === 0) return 'primary';
  const isUp = (member: Candidate): boolean => isMemberUsable(region, member, USABLE_BY_NUMBER);
  const weightOf = (members: readonly Candidate[]): number => members.reduce((sum, { weight }) => sum + weight, 0);
  const usablePercent = (100 * weightOf(configured.primary.filter(isUp))) / Math.max(1, weightOf(configured.primary));
  const areBackupsUp = configured.backup.some(isUp);
  if (usablePercent === 0) return areBackupsUp ? 'backup' : 'primary';
  const threshold = upstream.backupBelowPercent + (previous === 'primary' ? 0 : HYSTERESIS_PERCENT);
  const needsHelp = upstream.backupBelowPercent > 0 && usablePercent < Math.min(100, threshold);
  return needsHelp && areBackupsUp ? 'both' : 'primary';
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
  return { primary, backup, both: [...primary, ...backup] };
}

/** The weight in shared memory, which an operator may have set; the configured one before main has written it. */
function weightOf(region: Region, endpoint: EndpointSnapshot): number {
  return region.words[region.endpointWord(endpoint.slot) + E_WEIGHT]! || endpoint.weight;
}

function hasWeightsOf(members: readonly Candidate[], region: Region): boolean {
  return members.every((member) => {
    const shared = region.words[region.endpointWord(member.slot) + E_WEIGHT]!;
    return shared === member.weight || shared === 0;
  });
}
