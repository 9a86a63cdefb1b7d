// Prefers endpoints of the own zone: two balancers of the upstream's kind, one over the own zone and one over all others, and
// the share of requests that each gets (docs/algorithms.md 5.5). Used by upstreams with `locality` alone. Thread: both.

import { type Balancer, type Candidate, PICK_FAILURE, type PickRequest } from '../core/balancer.ts';
import { UPSTREAM_FIELD } from '../core/memory/lane-fields.ts';
import { mix32 } from '../core/murmur.ts';
import type { LocalitySnapshot } from '../core/snapshot/locality.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import type { Candidates } from './candidates.ts';
import type { BalanceContext } from './descriptor.ts';
import { balancerNamed, buildBalancer } from './registry.ts';
import { type Sides, sidesOf, type Split, splitByZone, targetShare, type Zones } from './zone-share.ts';

/** Time after which the share is computed again, because factors have changed (slow start, feedback). */
const REFRESH_MS = 100;
/**
 * Most that the share of the own zone grows in a millisecond: 10 points a second, so that a zone which flaps doesn't move all
 * requests to and fro. It shrinks at once.
 */
const GROWTH_PER_MS = 0.1 / 1000;
/** Separates the choice of a zone from that of an endpoint, which uses the same hash. */
const ZONE_WORD = 0x7feb352d;

/** The preference of one upstream in one thread. Its share outlives the balancers, which are built at each change. */
export class ZonePreference {
  readonly #locality: LocalitySnapshot;
  readonly #context: BalanceContext;
  readonly #hashes: boolean;
  /** Splits by member list: what balancers build from members alone is kept as long as they stay. */
  readonly #splits = new WeakMap<readonly Candidate[], Split>();
  readonly #share: ZoneShare;

  constructor({ balance }: UpstreamSnapshot, locality: LocalitySnapshot, context: BalanceContext) {
    this.#locality = locality;
    this.#context = context;
    this.#hashes = balancerNamed(balance.kind).hashKey !== undefined;
    this.#share = new ZoneShare(locality.spillBelowPercent / 100);
  }

  /** @param endpoints of the upstream, by slot */
  build({ balance }: UpstreamSnapshot, candidates: Candidates, endpoints: Zones): Balancer {
    const members = this.#splitMembers(candidates.members, endpoints);
    const usable = splitByZone(candidates.usable, endpoints, this.#locality.zone);
    const side = (of: keyof Split) => ({ ...candidates, members: members[of], usable: usable[of] });
    this.#share.observe(sidesOf(members, usable, this.#context.region));
    const [own, other] = [side('own'), side('other')].map((part) => buildBalancer(balance, part, this.#context));
    return new ZoneBalancer({ own: own!, other: other!, share: this.#share, hashes: this.#hashes }, this.#context);
  }

  #splitMembers(members: readonly Candidate[], endpoints: Zones): Split {
    const known = this.#splits.get(members) ?? splitByZone(members, endpoints, this.#locality.zone);
    this.#splits.set(members, known);
    return known;
  }
}

/** The share of requests that stays in the own zone, as it follows capacity over time. */
class ZoneShare {
  readonly #spillBelow: number;
  #sides: Sides | null = null;
  #share = 0;
  #dueMs = -Infinity;
  #computedMs = -Infinity;

  constructor(spillBelow: number) {
    this.#spillBelow = spillBelow;
  }

  /** Takes other endpoints over: the next read computes the share. */
  observe(sides: Sides): void {
    this.#sides = sides;
    this.#dueMs = -Infinity;
  }

  /** @param nowMs as in PickRequest */
  at(nowMs: number): number {
    if (nowMs >= this.#dueMs) this.#compute(nowMs);
    return this.#share;
  }

  #compute(nowMs: number): void {
    const target = this.#sides === null ? 1 : targetShare(this.#sides, this.#spillBelow);
    const isFirst = this.#computedMs === -Infinity;
    const grown = this.#share + (nowMs - this.#computedMs) * GROWTH_PER_MS;
    // Without another zone there is nowhere else to go.
    const isFree = isFirst || target <= this.#share || this.#sides?.other.size === 0;
    this.#share = isFree ? target : Math.min(target, grown);
    this.#computedMs = nowMs;
    this.#dueMs = nowMs + REFRESH_MS;
  }
}

interface ZoneBalancerParts {
  readonly own: Balancer;
  readonly other: Balancer;
  readonly share: ZoneShare;
  readonly hashes: boolean;
}

class ZoneBalancer implements Balancer {
  readonly #parts: ZoneBalancerParts;
  readonly #context: BalanceContext;
  readonly #lane: number;

  constructor(parts: ZoneBalancerParts, context: BalanceContext) {
    this.#parts = parts;
    this.#context = context;
    this.#lane = context.region.upstreamLane(context.worker, context.upstreamIndex);
  }

  /** The other side is next where the first one has no room: availability is worth more than a short way. */
  pick(request: PickRequest): number {
    const staysHome = this.#staysHome(request);
    const first = this.#pickFrom(staysHome, request);
    if (first >= 0) return first;
    const second = this.#pickFrom(!staysHome, request);
    if (second >= 0) return second;
    if (first === PICK_FAILURE.allBusy || second === PICK_FAILURE.allBusy) return PICK_FAILURE.allBusy;
    const isNone = first === PICK_FAILURE.noneUsable && second === PICK_FAILURE.noneUsable;
    return isNone ? PICK_FAILURE.noneUsable : PICK_FAILURE.allTried;
  }

  #staysHome(request: PickRequest): boolean {
    const share = this.#parts.share.at(request.nowMs);
    if (share >= 1) return true;
    if (share <= 0) return false;
    return this.#point(request) < share;
  }

  /** Where requests are hashed, each key has a fixed point: a share that shrinks and grows moves each key away and back once. */
  #point({ hash1, hash2 }: PickRequest): number {
    if (!this.#parts.hashes) return this.#context.random.next();
    return mix32(hash1 ^ mix32(hash2 ^ ZONE_WORD)) / 0x1_0000_0000;
  }

  #pickFrom(isOwn: boolean, request: PickRequest): number {
    const slot = (isOwn ? this.#parts.own : this.#parts.other).pick(request);
    const field = isOwn ? UPSTREAM_FIELD.picksOwnZone : UPSTREAM_FIELD.picksOtherZone;
    if (slot >= 0) this.#context.region.doubles[this.#lane + field]!++;
    return slot;
  }
}
