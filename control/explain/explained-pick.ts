// Pick of an upstream for a request, and the reason: by the same picker, cookies and reservation as traffic, over a copy
// of the shared records. Thread: main.

import type { ExplainReply } from '../../admin/api/explain-schemas.ts';
import { CandidateTable } from '../../balancers/candidate-table.ts';
import type { Candidates } from '../../balancers/candidates.ts';
import { buildHashKey, hashKeyName, hashKeyText } from '../../balancers/hash-key.ts';
import { balancerNamed, candidateLoads } from '../../balancers/registry.ts';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import { zoneViewOf } from '../../balancers/zone-share.ts';
import { AVAILABILITY_NAMES } from '../../core/availability.ts';
import type { Candidate, PickRequest } from '../../core/balancer.ts';
import type { RequestHead } from '../../core/head.ts';
import { E_AVAILABILITY, E_LAST_SUCCESS, E_LIMIT, FULL_FACTOR, UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { StickySnapshot, UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { findPlace, giveBack, reserveForItsOwn } from '../../proxy/placement/place.ts';
import { stickyOf } from '../../proxy/policies/sticky-cookie.ts';
import { StickyCookies } from '../../proxy/policies/sticky-cookies.ts';
import { becauseOf, type Pick } from './pick-because.ts';

type ExplainedUpstream = NonNullable<ExplainReply['upstream']>;

/** The upstream to pick from, and the request. */
export interface PickFacts {
  readonly upstream: UpstreamSnapshot;
  /** A copy: it is written to. */
  readonly region: Region;
  readonly random: Random;
  readonly head: RequestHead;
  readonly clientAddress: string;
  readonly mayRepeat: boolean;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** Records whether a random number was drawn. */
class WatchedRandom implements Random {
  readonly #random: Random;
  wasDrawn = false;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): number {
    this.wasDrawn = true;
    return this.#random.next();
  }
}

const WORKER = 0;

export function explainPick(facts: PickFacts): ExplainedUpstream {
  const { upstream, region } = facts;
  const random = new WatchedRandom(facts.random);
  const picker = new UpstreamPicker(upstream, { region, worker: WORKER, random });
  random.wasDrawn = false;
  const hashKey = hashKeyOf(facts, random);
  const request = pickRequestOf(facts, hashKey?.words ?? { hash1: 0, hash2: 0 });
  const { candidates } = picker;
  // Read before the reservation, which adds to the counts.
  const listed = candidatesOf(facts, candidates);
  const equals = equalsOf(facts, candidates, request);
  const names = new Map(upstream.endpoints.map(({ slot, id }) => [slot, id]));
  const nameOf = (slot: number): string => names.get(slot)!;
  const sticky = stickyOf(upstream);
  const leadsTo = stickySlot(facts, sticky);
  const pick = choose(facts, picker, request, leadsTo);
  const isTie = equals.length > 1 && pick.by === 'balancer';
  return {
    name: upstream.name,
    balance: upstream.balance.kind,
    tier: candidates.tier,
    whenAllDown: upstream.whenAllDown,
    locality: zoneViewOf(upstream, region),
    queued: Math.max(0, region.words[region.upstreamWord(upstream.index) + UPSTREAM.queued.index]!),
    hashKey: hashKey === null ? null : { from: hashKey.name, value: hashKey.value },
    sticky: sticky === null ? null : { cookie: sticky.cookie, leadsTo: leadsTo === null ? null : nameOf(leadsTo) },
    candidates: listed,
    choice: {
      endpoint: pick.slot < 0 ? null : nameOf(pick.slot),
      by: pick.by,
      because: becauseOf(pick, { upstream, hashKey, equals: isTie ? equals.length : 1, request, leadsTo }),
      isByChance: isTie || (random.wasDrawn && pick.by !== 'sticky-cookie'),
      equals: isTie ? equals.map(nameOf) : [],
      trial: pick.trial === null ? null : nameOf(pick.trial),
    },
  };
}

/** Picks as the forwarder does: the cookie first, then the balancer. For a suspect's trial, the pick without the trial. */
function choose({ region }: PickFacts, picker: UpstreamPicker, request: PickRequest, leadsTo: number | null): Pick {
  const own = leadsTo === null ? null : reserveForItsOwn(region, WORKER, leadsTo);
  if (own !== null) return { slot: own.slot, by: 'sticky-cookie', trial: null };
  const isSuspect = (slot: number): boolean => picker.candidates.suspects.some((one) => one.slot === slot);
  let place = findPlace(request, { picker }, region, WORKER);
  let trial: number | null = null;
  if (place.slot >= 0 && isSuspect(place.slot) && request.mayRetry) {
    trial = place.slot;
    giveBack(place, region, WORKER);
    place = findPlace(request, { picker }, region, WORKER);
  }
  const by = place.slot < 0 ? 'nobody' : isSuspect(place.slot) ? 'suspect' : 'balancer';
  return { slot: place.slot, by, trial: trial === place.slot ? null : trial };
}

function stickySlot({ upstream, head, wallMs }: PickFacts, sticky: StickySnapshot | null): number | null {
  if (sticky === null) return null;
  const cookies = new StickyCookies(sticky, upstream.endpoints, upstream.name);
  return cookies.slotOf(head.field('cookie'), wallMs)?.slot ?? null;
}

function hashKeyOf({ upstream: { balance }, head, clientAddress }: PickFacts, random: Random) {
  const hashed = balancerNamed(balance.kind).hashKey?.(balance);
  if (hashed === undefined) return null;
  const words = { hash1: 0, hash2: 0 };
  buildHashKey(hashed.key, hashed.seed, random)(head, clientAddress, words);
  return { name: hashKeyName(hashed.key), value: hashKeyText(hashed.key, head, clientAddress), words };
}

function pickRequestOf(facts: PickFacts, words: { hash1: number; hash2: number }): PickRequest {
  return {
    hash1: words.hash1,
    hash2: words.hash2,
    nowMs: facts.nowMs,
    mayRetry: facts.mayRepeat,
    mayUseLastResort: false,
    triedCount: 0,
    triedSlots: new Int32Array(1),
  };
}

/** All endpoints in configured order, primaries before backups. */
function candidatesOf({ upstream, region, nowMs }: PickFacts, candidates: Candidates): ExplainedUpstream['candidates'] {
  const members = candidates.configured.both;
  const loads = candidateLoads(upstream.balance, members, candidates, region, nowMs);
  const table = new CandidateTable(members, region);
  const roleOf = rolesOf(candidates);
  const backups = new Set(candidates.configured.backup);
  const endpoints = new Map(upstream.endpoints.map((endpoint) => [endpoint.slot, endpoint]));
  return members.map((member, index) => {
    const place = table.places[index]!;
    const load = loads?.[index] ?? null;
    const { origin, zone } = endpoints.get(member.slot)!;
    return {
      name: member.id,
      availability: AVAILABILITY_NAMES[region.words[place + E_AVAILABILITY]!] ?? 'up',
      backup: backups.has(member),
      origin,
      zone,
      role: roleOf(member),
      weight: member.weight,
      weightShare: Number((table.factor(index) / FULL_FACTOR).toFixed(3)),
      inFlight: Math.max(0, table.inflight(index)),
      limit: region.words[place + E_LIMIT]!,
      load: load === null || !Number.isFinite(load) ? null : Number(load.toPrecision(4)),
    };
  });
}

/** Roles by sets, because an upstream may have thousands of endpoints. */
function rolesOf(candidates: Candidates): (member: Candidate) => ExplainedUpstream['candidates'][number]['role'] {
  const [usable, suspects] = [new Set(candidates.usable), new Set(candidates.suspects)];
  const [lastResort, members] = [new Set(candidates.lastResort), new Set(candidates.members)];
  return (member) => {
    if (usable.has(member)) return 'usable';
    if (suspects.has(member)) return 'suspect';
    if (!lastResort.has(member)) return 'out';
    return members.has(member) ? 'last-resort' : 'other-tier';
  };
}

/** Slots of the usable endpoints that tie for the least load, after the tie-break by freshness. */
function equalsOf({ upstream, region, nowMs }: PickFacts, candidates: Candidates, request: PickRequest): number[] {
  const { usable } = candidates;
  const loads = candidateLoads(upstream.balance, usable, candidates, region, nowMs);
  if (loads === null) return [];
  const table = new CandidateTable(usable, region);
  const open = usable.map((_, index) => index).filter((index) => table.canTake(index, request));
  const least = Math.min(...open.map((index) => loads[index]!));
  const equal = open.filter((index) => loads[index] === least);
  const freshness = (index: number): number => region.words[table.places[index]! + E_LAST_SUCCESS]!;
  const freshest = Math.max(...equal.map(freshness));
  const left = request.mayRetry ? equal : equal.filter((index) => freshness(index) === freshest);
  return left.map((index) => table.slots[index]!);
}
