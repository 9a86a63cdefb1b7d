// Policy: rates of requests for each client of a route, by the generic cell rate algorithm in memory that all workers share
// (core/memory/rate-table.ts). A request beyond a burst is answered 429, or held back where a delay is configured. One that
// a limit refuses counts for none of the others.
// Thread: both.

import { rateOf, type RateTable } from '../../core/memory/rate-table.ts';
import type { FieldList } from '../../core/head.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { CausedReply, Policy, PolicyAnswer, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, CreateContext, ExplainedExchange } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';
import { type ClientKey, clientKeyOf, parseClientKey } from './client-key.ts';

const WINDOW_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MOST_REQUESTS = 1_000_000;
/** Longest time in which a full burst is regained. */
const LONGEST_REFILL_MS = 30 * WINDOW_MS.d;
const LONGEST_DELAY_MS = 60_000;
/** Requests that one worker holds back at a time: beyond it they are answered 429. */
const MOST_WAITING = 10_000;
/** Limits of one route. */
const MOST_LIMITS = 8;

/** A number of requests in a window. */
export interface RequestRate {
  readonly requests: number;
  readonly windowMs: number;
  /** As written. */
  readonly text: string;
}

/** One limit of a route. */
interface RateLimit {
  /** Limits of one name share their counts. */
  readonly name: string;
  readonly key: ClientKey;
  readonly rate: RequestRate;
  readonly burst: number;
  readonly delayMs: number;
  readonly reportsOnly: boolean;
  readonly fields: 'refused' | 'always' | 'never';
}

/** Data of the policy in a Snapshot. */
export interface RateLimitData {
  /** At least one. */
  readonly rateLimits: readonly RateLimit[];
}

export const rateLimit = builtIn({
  name: 'rate-limit',
  scope: 'route',
  stage: 'admit',
  needs: ['reply', 'wait'],
  waitMs: LONGEST_DELAY_MS + 5000,
  options: (schemas) => ({ rateLimit: rateLimitOptions(schemas).optional() }),
  compile: ({ rateLimit: options }, context): RateLimitData | null => {
    if (options === undefined) return null;
    if (options.length > MOST_LIMITS) {
      context.report({
        code: 'FL3008',
        message: `a route has at most ${MOST_LIMITS} rate limits`,
        path: ['rateLimit'],
      });
    }
    return { rateLimits: options.map((one, at) => compileLimit(one, options.length > 1 ? at : null, context)) };
  },
  create: ({ rateLimits }, context) => new LimitedRoute(rateLimits, context),
  explain: ({ rateLimits }, exchange) => rateLimits.map((limit) => describe(limit, exchange)).join('; '),
});

function rateLimitOptions({ z, text, count, duration, name, oneOrMany }: OptionSchemas) {
  const rate = () => text(parseRate, { expects: 'a rate such as 10/s', example: '10/s' });
  const key = text(parseClientKey, {
    expects: 'client-ip, route, header:NAME or cookie:NAME',
    example: 'client-ip',
  });
  const full = z
    .strictObject({
      rate: rate().describe('Requests in a second, minute, hour or day: `10/s`, `600/m`, `1000/h`, `5000/d`.'),
      burst: count(1, MOST_REQUESTS)
        .describe('Requests that may be sent at once; regained at the rate. The number in the rate if absent.')
        .optional(),
      key: key
        .prefault('client-ip')
        .describe(
          'Requests that are counted together: those of an address (`client-ip`; IPv6 by /64), of a value of a field or cookie, or all of the route. A request without the field or cookie counts by its address.',
        ),
      delay: duration({ orNone: true })
        .prefault('none')
        .describe('Longest time for which a request beyond the burst is held back until it conforms. Beyond it: 429.'),
      report: z.boolean().default(false).describe('Whether requests beyond the rate are only counted, and pass.'),
      fields: z
        .enum(['refused', 'always', 'never'])
        .default('refused')
        .describe('Responses that get the fields `RateLimit` and `RateLimit-Policy`.'),
      name: name()
        .describe('Routes with limits of the same name and rate count together; the route if absent.')
        .optional(),
    })
    .meta({ expects: 'a mapping with rate', example: '{ rate: 10/s, burst: 20 }' });
  const one = z
    .union([rate(), full])
    .meta({ expects: 'a rate, or a mapping with rate', example: '{ rate: 10/s, burst: 20, key: client-ip }' });
  return oneOrMany(one).describe(
    'Limits how fast each client may send requests. A request passes where all limits of a list let it pass.',
  );
}

function parseRate(text: string): { ok: true; value: RequestRate } | { ok: false; message: string } {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,6})\/([smhd])$/.exec(text) ?? [];
  const requests = Number(digits);
  if (digits !== '' && requests <= MOST_REQUESTS) {
    return { ok: true, value: { requests, windowMs: WINDOW_MS[unit as keyof typeof WINDOW_MS], text } };
  }
  const message = `${JSON.stringify(text)} is not a rate: write 1/s to ${MOST_REQUESTS}/s, or a number per m, h or d`;
  return { ok: false, message };
}

type RateLimitOptions = NonNullable<OptionsOf<{ rateLimit: ReturnType<typeof rateLimitOptions> }>['rateLimit']>[number];

type RateLimitFull = Extract<RateLimitOptions, { rate: unknown }>;
/** Of a limit that is written as a rate alone. */
const DEFAULTS = { key: { kind: 'client-ip' }, delay: 0, report: false, fields: 'refused' } as const;

/** @param at index in a list; null for a single limit */
function compileLimit(options: RateLimitOptions, at: number | null, { owner, report }: CompileContext): RateLimit {
  const full: RateLimitFull = 'rate' in options ? options : { ...DEFAULTS, rate: options };
  // The first limit of a list keeps the name that it had alone.
  const named = at === null || at === 0 ? owner : `${owner}-${at + 1}`;
  const { rate, burst = rate.requests, key, delay, report: reportsOnly, fields, name = named } = full;
  const path = at === null ? ['rateLimit'] : ['rateLimit', at];
  const refillMs = (burst * rate.windowMs) / rate.requests;
  if (refillMs > LONGEST_REFILL_MS) {
    const message = `a burst of ${burst} at ${rate.text} takes more than 30 days to be regained: choose a smaller burst`;
    report({ code: 'FL3008', message, path: [...path, 'burst'] });
  }
  if (delay > LONGEST_DELAY_MS) report({ code: 'FL3008', message: 'a delay is at most 1m', path: [...path, 'delay'] });
  return { name, key, rate, burst, delayMs: delay, reportsOnly, fields };
}

/** One limit with its place in memory. */
class ClientLimit {
  readonly limit: RateLimit;
  readonly #rate;
  readonly #hash;
  readonly #rates: RateTable;
  readonly #policyField: string;

  constructor(limit: RateLimit, { clients }: CreateContext['services']) {
    const { name, rate, burst, delayMs, key } = limit;
    this.limit = limit;
    this.#rate = rateOf(rate.windowMs / rate.requests, burst, delayMs);
    // The rate is part of the name: a changed limit counts from zero, and an unchanged one survives reloads.
    this.#hash = clients.hash.derive(`rate-limit ${name} ${rate.text} ${burst} ${JSON.stringify(key)}`);
    this.#rates = clients.rates;
    this.#policyField = `"${name}";q=${burst};w=${Math.ceil((burst * rate.windowMs) / rate.requests / 1000)}`;
  }

  /** Counts a request that conforms. Returns ms until it does. */
  take(exchange: PolicyExchange, nowMs: number): number {
    this.#hash.of(clientKeyOf(this.limit.key, exchange));
    return this.#rates.take(this.#hash.low, this.#hash.high, this.#rate, nowMs);
  }

  /** Time in ms by which a request is refused, beyond the delay; counts none. */
  overrun(exchange: PolicyExchange, nowMs: number): number {
    if (this.limit.reportsOnly) return 0;
    this.#hash.of(clientKeyOf(this.limit.key, exchange));
    return this.#rates.peek(this.#hash.low, this.#hash.high, this.#rate, nowMs) - this.limit.delayMs;
  }

  /**
   * Fields of draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4, after `take`: what is left, and seconds until all
   * is. Appended to those of other limits.
   */
  fields(before?: FieldList): FieldList {
    const { left, fullMs } = this.#rates;
    const limit = `"${this.limit.name}";r=${left};t=${Math.ceil(fullMs / 1000)}`;
    if (before === undefined) return ['RateLimit-Policy', this.#policyField, 'RateLimit', limit];
    return ['RateLimit-Policy', `${before[1]}, ${this.#policyField}`, 'RateLimit', `${before[3]}, ${limit}`];
  }
}

class LimitedRoute implements Policy {
  readonly onResponse?: (exchange: PolicyExchange) => undefined;
  readonly #limits: readonly ClientLimit[];
  readonly #services;
  readonly #reported: () => void;
  #waiting = 0;

  constructor(limits: readonly RateLimit[], { services, reported }: CreateContext) {
    this.#limits = limits.map((limit) => new ClientLimit(limit, services));
    this.#services = services;
    this.#reported = reported;
    if (limits.some(({ fields }) => fields === 'always')) this.onResponse = addFields;
  }

  onRequest(exchange: PolicyExchange): PolicyAnswer | Promise<PolicyAnswer> {
    const nowMs = this.#services.nowMs();
    const refusing = this.#limits.length === 1 ? undefined : this.#refusing(exchange, nowMs);
    if (refusing !== undefined) return refusal(refusing, refusing.take(exchange, nowMs));
    let longestMs = 0;
    let hasReported = false;
    let fields: FieldList | undefined;
    for (const one of this.#limits) {
      const { limit } = one;
      const waitMs = one.take(exchange, nowMs);
      if (limit.fields === 'always') exchange.memo = fields = one.fields(fields);
      if (waitMs === 0) continue;
      if (limit.reportsOnly) hasReported = true;
      else if (waitMs > limit.delayMs || this.#waiting >= MOST_WAITING) return refusal(one, waitMs);
      else longestMs = Math.max(longestMs, waitMs);
    }
    if (hasReported) this.#reported();
    return longestMs === 0 ? undefined : this.#wait(longestMs);
  }

  /** The limit that refuses a request for the longest time. */
  #refusing(exchange: PolicyExchange, nowMs: number): ClientLimit | undefined {
    let refusing: ClientLimit | undefined;
    let longestMs = 0;
    for (const limit of this.#limits) {
      const overrunMs = limit.overrun(exchange, nowMs);
      if (overrunMs > longestMs) [refusing, longestMs] = [limit, overrunMs];
    }
    return refusing;
  }

  #wait(waitMs: number): Promise<undefined> {
    this.#waiting += 1;
    return new Promise((resolve) => {
      this.#services.timers.after(Math.ceil(waitMs), () => {
        this.#waiting -= 1;
        resolve(undefined);
      });
    });
  }
}

/** @param waitMs result of `take` */
function refusal(one: ClientLimit, waitMs: number): CausedReply {
  const { delayMs, fields } = one.limit;
  const retry = ['Retry-After', String(Math.max(1, Math.ceil((waitMs - delayMs) / 1000)))];
  return { cause: 'rate-limited', fields: fields === 'never' ? retry : [...retry, ...one.fields()] };
}

function addFields(exchange: PolicyExchange): undefined {
  const fields = exchange.memo as FieldList | undefined;
  for (let at = 0; at < (fields?.length ?? 0); at += 2) exchange.setResponseField(fields![at]!, fields![at + 1]!);
}

function describe({ key, rate, burst, reportsOnly }: RateLimit, exchange: ExplainedExchange): string {
  const client =
    key.kind === 'route' ? 'all requests of the route' : `${key.kind} "${clientKeyOf(key, exchange).trim()}"`;
  return `${reportsOnly ? 'reports' : 'allows'} ${client} ${reportsOnly ? 'beyond ' : ''}${rate.text}, ${burst} at once`;
}
