// Balancer `consistent-hash`: the same key goes to the same endpoint while that one can take it (docs/algorithms.md 1.6).
// A Maglev table over the configured members; availability, factor, limits and bounded load act at the lookup, so
// that a change of health moves only the keys that must move, and they return with the endpoint. Thread: both.

import type { Balancer, Candidate, PickRequest } from '../core/balancer.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import { mix32, murmur32OfString } from '../core/murmur.ts';
import { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import { type BalanceContext, defineBalancer, type HashKeySettings } from './descriptor.ts';
import { parseHashKey } from './hash-key.ts';
import { buildMaglevTable, isPrime, maglevSizeFor, sortedById } from './maglev.ts';

interface HashSettings extends HashKeySettings {
  /** 0 is off; otherwise at least 1. */
  readonly boundedLoad: number;
  readonly tableSize: number;
}

/** Places of the table that a pick tries before it compares all members. */
const PROBES = 16;
const STEP_WORD = 0x9e3779b1;
/** Tolerance for the rounding error of products of decimals such as 1.1, before they are rounded up. */
const ROUNDING = 1e-9;
const NOBODY = -1;

/** Data that depends on the configured members and the settings alone. */
interface HashedMembers {
  readonly settings: HashSettings;
  readonly sorted: readonly Candidate[];
  readonly table: Uint16Array;
  readonly idHashes: Uint32Array;
}

/** Tables by the member list that they were built over, which `selectCandidates` keeps while weights stay. */
const kept = new WeakMap<readonly Candidate[], HashedMembers>();

class ConsistentHash implements Balancer {
  readonly #table: Uint16Array;
  readonly #idHashes: Uint32Array;
  readonly #members: CandidateTable;
  readonly #usable: CandidateTable;
  readonly #isUsable: Uint8Array;
  readonly #boundedLoad: number;

  constructor(hashed: HashedMembers, candidates: Candidates, context: BalanceContext) {
    this.#table = hashed.table;
    this.#idHashes = hashed.idHashes;
    this.#members = new CandidateTable(hashed.sorted, context.region);
    this.#usable = new CandidateTable(candidates.usable, context.region);
    const usable = new Set(candidates.usable.map((candidate) => candidate.slot));
    this.#isUsable = Uint8Array.from(hashed.sorted, (member) => Number(usable.has(member.slot)));
    this.#boundedLoad = hashed.settings.boundedLoad;
  }

  /** Each retry starts one probe further in the key's sequence of places. */
  pick(request: PickRequest): number {
    const load = this.#boundedLoad > 0 ? this.#loadPerCapacity() : 0;
    let hash = request.hash1 >>> 0;
    for (let probe = 0; probe < PROBES + request.triedCount; probe++) {
      if (probe >= request.triedCount) {
        const index = this.#table[hash % this.#table.length]!;
        if (this.#accepts(index, request, load)) return this.#members.slots[index]!;
      }
      hash = mix32(hash ^ Math.imul(request.hash2 + probe + 1, STEP_WORD));
    }
    return this.#pickByRendezvous(request, load);
  }

  /** Most requests per unit of capacity: `boundedLoad` times the mean, this request included. */
  #loadPerCapacity(): number {
    let inflight = 1;
    let capacity = 0;
    for (let index = 0; index < this.#usable.size; index++) {
      inflight += this.#usable.inflight(index);
      capacity += this.#usable.capacity(index);
    }
    return (this.#boundedLoad * inflight) / capacity;
  }

  /**
   * @param load as `#loadPerCapacity` has it; 0 where loads are not bounded. A member may then hold what its capacity
   * allows, rounded up (Mirrokni, Thorup, Zadimoghaddam, arXiv 1608.01350).
   */
  #accepts(index: number, request: PickRequest, load: number): boolean {
    const members = this.#members;
    if (this.#isUsable[index] === 0 || !members.canTake(index, request)) return false;
    if (!this.#isWithinFactor(index, request.hash2)) return false;
    if (load === 0) return true;
    return members.inflight(index) + 1 <= Math.ceil(load * members.capacity(index) - ROUNDING);
  }

  /** Each key has a fixed threshold at each member, so that a growing factor moves each key exactly once, back to its member. */
  #isWithinFactor(index: number, hash2: number): boolean {
    const factor = this.#members.factor(index);
    return factor >= FULL_FACTOR || mix32(hash2 ^ this.#idHashes[index]!) < factor * FULL_FACTOR;
  }

  /** Returns a member that accepts the request within its bounds, otherwise one that can take it at all. */
  #pickByRendezvous(request: PickRequest, load: number): number {
    let index = this.#rendezvous(request, load, true);
    if (index === NOBODY) index = this.#rendezvous(request, load, false);
    return index === NOBODY ? this.#usable.failure(request) : this.#members.slots[index]!;
  }

  /** Weighted rendezvous (Thaler, Ravishankar 1996): the least -ln(u) / weight. O(members). */
  #rendezvous(request: PickRequest, load: number, mustAccept: boolean): number {
    let best = NOBODY;
    let bestScore = Infinity;
    for (let index = 0; index < this.#members.size; index++) {
      if (!(mustAccept ? this.#accepts(index, request, load) : this.#canTakeAtAll(index, request))) continue;
      const word = mix32(request.hash1 ^ mix32(request.hash2 ^ this.#idHashes[index]!));
      const score = -Math.log((word + 0.5) / 0x1_0000_0000) / this.#members.weights[index]!;
      if (score < bestScore) {
        best = index;
        bestScore = score;
      }
    }
    return best;
  }

  #canTakeAtAll(index: number, request: PickRequest): boolean {
    return this.#isUsable[index] === 1 && this.#members.factor(index) > 0 && this.#members.canTake(index, request);
  }
}

/** Returns the table for these members, from the cache if members and settings are the same. */
export function hashMembers(settings: HashSettings, members: readonly Candidate[]): HashedMembers {
  const known = kept.get(members);
  if (known !== undefined && known.settings === settings) return known;
  const sorted = sortedById(members);
  const hashed: HashedMembers = {
    settings,
    sorted,
    table: buildMaglevTable(sorted, settings.tableSize, settings.seed),
    idHashes: Uint32Array.from(sorted, (member) => murmur32OfString(member.id, mix32(settings.seed + 3))),
  };
  kept.set(members, hashed);
  return hashed;
}

function build(settings: HashSettings, candidates: Candidates, context: BalanceContext): Balancer {
  if (candidates.usable.length === 0) {
    const empty = new CandidateTable([], context.region);
    return { pick: (request) => empty.failure(request) };
  }
  return new ConsistentHash(hashMembers(settings, candidates.members), candidates, context);
}

export const consistentHash = defineBalancer({
  name: 'consistent-hash',
  options: ({ text, factor, count }) => ({
    key: text(parseHashKey, {
      expects: 'client-ip, path, header:NAME, cookie:NAME or query:NAME',
      example: 'header:x-user',
    })
      .prefault('client-ip')
      .describe('With `consistent-hash`: what of a request is hashed.'),
    boundedLoad: factor(1, 10, '1.25')
      .describe(
        'With `consistent-hash`: most load of an endpoint, as a factor of its even share; what is above goes elsewhere. No bound if absent.',
      )
      .optional(),
    tableSize: count(2, 10_000_019)
      .superRefine((size, context) => {
        if (isPrime(size)) return;
        const message = `${size} is not a prime number: Maglev reaches every place of its table only then; 65537 is one`;
        context.issues.push({ code: 'custom', message, input: size, params: { code: 'FL2005', suggestion: '65537' } });
      })
      .describe(
        'With `consistent-hash`: places in the table, a prime; 65537, or 655373 above 655 endpoints, if absent.',
      )
      .optional(),
    seed: count(0, 0xffff_ffff)
      .default(0)
      .describe('With `consistent-hash`: seed of the hash; several proxies agree when it is the same.'),
  }),
  check: ({ tableSize }, { endpointCount }) => {
    if (tableSize === undefined || tableSize >= endpointCount) return [];
    const message = `a table of ${tableSize} places has no room for ${endpointCount} endpoints: take a prime above 100 times as many`;
    return [{ code: 'FL3008', message, path: ['tableSize'] }];
  },
  compile: ({ key, boundedLoad = 0, tableSize, seed }, { endpointCount }): HashSettings => ({
    key,
    boundedLoad,
    tableSize: tableSize ?? maglevSizeFor(endpointCount),
    seed,
  }),
  build,
  hashKey: ({ key, seed }) => ({ key, seed }),
  because: (_settings, key) =>
    key!.value === ''
      ? `the request has no ${key!.name} to hash: drawn by weight`
      : `${key!.name} "${key!.value}" is hashed to it`,
});
