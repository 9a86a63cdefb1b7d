// Resolves one name to records: search domains, several servers, and the chain of CNAMEs. Thread: main.

import type { Timers } from '../../core/timers.ts';
import {
  type AddressRecord,
  type DnsRecord,
  type DnsResponse,
  type QueryType,
  RESPONSE_CODE,
  type ServiceRecord,
} from './dns-message.ts';
import { type DnsServer, type RunningQuery, sendQuery } from './dns-query.ts';
import { candidatesOf, type ResolverSettings } from './resolver-settings.ts';

/** Time for one answer. Each server is asked twice before a name fails. */
const TIMEOUT_MS = 2_000;
const ROUNDS = 2;
/** Names in a chain of CNAMEs. */
const LONGEST_CHAIN = 16;

/** The records that answer a question. */
export type RecordsOf<Type extends QueryType> = { readonly ttlS: number; readonly name: string } & (Type extends 'SRV'
  ? ServiceRecord
  : AddressRecord);

/**
 * `records` of the type at the end of the CNAMEs, `additional` ones of the answers, and the least TTL of all that led there.
 * A name without records of the type has an empty list: then `isNegative` is true, and `ttlS` says how long that holds.
 */
export type Resolution<Type extends QueryType = QueryType> =
  | {
      readonly ok: true;
      readonly records: readonly RecordsOf<Type>[];
      readonly additional: readonly DnsRecord[];
      readonly ttlS: number;
      /** The name exists, with records of other types alone; or doesn't exist. */
      readonly negative: 'no-data' | 'no-name' | null;
    }
  | { readonly ok: false; readonly cause: string };

/** Answers are cached no longer than this where they say nothing (RFC 2308 section 5: a negative answer without SOA). */
const NO_TTL_S = 0;

export class DnsResolver {
  readonly #settings: ResolverSettings;
  readonly #timers: Timers;
  readonly #running = new Set<RunningQuery>();
  #isStopped = false;

  constructor(settings: ResolverSettings, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
  }

  /** Cancels everything; promises of running resolutions stay open. */
  stop(): void {
    this.#isStopped = true;
    for (const query of this.#running) query.cancel();
    this.#running.clear();
  }

  /** Tries the candidates of a name in order until one has records. */
  async resolve<Type extends QueryType>(name: string, type: Type): Promise<Resolution<Type>> {
    let best: Resolution<Type> | null = null;
    for (const candidate of candidatesOf(name.toLowerCase(), this.#settings)) {
      const found = await this.#follow(candidate, type);
      if (!found.ok) return found;
      if (found.negative === null) return found;
      // A name that exists says more than one that doesn't.
      if (best === null || (best.ok && best.negative === 'no-name')) best = found;
    }
    return best ?? { ok: false, cause: 'the name is empty' };
  }

  /** Follows CNAMEs, asking again where the answer ends with a name. */
  async #follow<Type extends QueryType>(name: string, type: Type): Promise<Resolution<Type>> {
    let asked = name;
    let ttlS = Infinity;
    for (let step = 0; step < LONGEST_CHAIN; step++) {
      const outcome = await this.#ask(asked, type);
      if (!outcome.ok) return outcome;
      const { response } = outcome;
      const end = endOfChain(response, asked);
      if (end === null) return { ok: false, cause: `the CNAMEs of ${name} form a loop` };
      ttlS = Math.min(ttlS, end.ttlS);
      const records = response.answers.filter(
        (record) => record.type === type && record.name === end.name,
      ) as unknown as readonly RecordsOf<Type>[];
      if (records.length > 0) {
        const leastS = records.reduce((least, record) => Math.min(least, record.ttlS), ttlS);
        return { ok: true, records, additional: response.additional, ttlS: leastS, negative: null };
      }
      if (end.name === asked || response.code === RESPONSE_CODE.noSuchName) return negative(response, ttlS);
      asked = end.name;
    }
    return { ok: false, cause: `the CNAMEs of ${name} lead to more than ${LONGEST_CHAIN} names` };
  }

  /** Asks the servers in order, twice, until one answers with records or with their absence. */
  async #ask(
    name: string,
    type: QueryType,
  ): Promise<{ readonly ok: true; readonly response: DnsResponse } | { readonly ok: false; readonly cause: string }> {
    let cause = 'no server is known';
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of this.#settings.servers) {
        const outcome = await this.#send(server, name, type);
        if (outcome.ok) {
          const { code } = outcome.response;
          if (code === RESPONSE_CODE.ok || code === RESPONSE_CODE.noSuchName) return outcome;
          cause = `server ${server.host} answers ${codeName(code)} for ${name} ${type}`;
        } else cause = `server ${server.host} ${outcome.cause}`;
      }
    }
    return { ok: false, cause };
  }

  #send(server: DnsServer, name: string, type: QueryType) {
    return new Promise<Parameters<Parameters<typeof sendQuery>[3]>[0]>((resolve) => {
      if (this.#isStopped) return;
      const limits = { timers: this.#timers, timeoutMs: TIMEOUT_MS };
      const query = sendQuery(server, { name, type }, limits, (outcome) => {
        this.#running.delete(query);
        resolve(outcome);
      });
      this.#running.add(query);
    });
  }
}

/** The last name of the CNAMEs in an answer that begin with `name`, with their least TTL; null where they form a loop. */
function endOfChain({ answers }: DnsResponse, name: string): { readonly name: string; readonly ttlS: number } | null {
  const targets = new Map(answers.flatMap((record) => (record.type === 'CNAME' ? [[record.name, record]] : [])));
  const seen = new Set([name]);
  let end = name;
  let ttlS = Infinity;
  for (let next = targets.get(end); next !== undefined; next = targets.get(end)) {
    if (seen.has(next.target)) return null;
    seen.add(next.target);
    end = next.target;
    ttlS = Math.min(ttlS, next.ttlS);
  }
  return { name: end, ttlS };
}

/** RFC 2308 section 5: the lesser of the SOA's TTL and its minimum. */
function negative(response: DnsResponse, chainS: number): Resolution<never> {
  const soa = response.authority.find((record) => record.type === 'SOA');
  const ttlS = Math.min(chainS, soa === undefined ? NO_TTL_S : Math.min(soa.ttlS, soa.minimumS));
  const isNameKnown = response.code !== RESPONSE_CODE.noSuchName;
  return { ok: true, records: [], additional: [], ttlS, negative: isNameKnown ? 'no-data' : 'no-name' };
}

const CODE_NAMES: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
};

function codeName(code: number): string {
  return CODE_NAMES[code] ?? `code ${code}`;
}
