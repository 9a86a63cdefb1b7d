// Policy: a rate of requests for each client of a route, by the generic cell rate algorithm in memory that all workers share
// (core/memory/rate-table.ts). A request beyond the burst is answered 429, or held back where a delay is configured.
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

/** A number of requests in a window. */
export interface RequestRate {
  readonly requests: number;
  readonly windowMs: number;
  /** As written. */
  readonly text: string;
}

/** Data of the policy in a Snapshot. */
export interface RateLimitData {
  readonly rateLimit: {
    /** Limits of one name share their counts. */
    readonly name: string;
    readonly key: ClientKey;
    readonly rate: RequestRate;
    readonly burst: number;
    readonly delayMs: number;
    readonly reportsOnly: boolean;
    readonly fields: 'refused' | 'always' | 'never';
  };
}

type RateLimit = RateLimitData['rateLimit'];

export const rateLimit = builtIn({
  name: 'rate-limit',
  scope: 'route',
  stage: 'admit',
  needs: ['reply', 'wait'],
  waitMs: LONGEST_DELAY_MS + 5000,
  options: (schemas) => ({ rateLimit: rateLimitOptions(schemas).optional() }),
  compile: ({ rateLimit: options }, context): RateLimitData | null =>
    options === undefined ? null : { rateLimit: compileLimit(options, context) },
  create: ({ rateLimit: limit }, context) => new LimitedRoute(limit, context),
  explain: ({ rateLimit: limit }, exchange) => describe(limit, exchange),
});

function rateLimitOptions({ z, text, count, duration, name }: OptionSchemas) {
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
  return z
    .union([rate(), full])
    .meta({ expects: 'a rate, or a mapping with rate', example: '{ rate: 10/s, burst: 20, key: client-ip }' })
    .describe('Limits how fast each client may send requests.');
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

type RateLimitOptions = NonNullable<OptionsOf<{ rateLimit: ReturnType<typeof rateLimitOptions> }>['rateLimit']>;

type RateLimitFull = Extract<RateLimitOptions, { rate: unknown }>;
/** Of a limit that is written as a rate alone. */
const DEFAULTS = { key: { kind: 'client-ip' }, delay: 0, report: false, fields: 'refused' } as const;

function compileLimit(options: RateLimitOptions, { owner, report }: CompileContext): RateLimit {
  const full: RateLimitFull = 'rate' in options ? options : { ...DEFAULTS, rate: options };
  const { rate, burst = rate.requests, key, delay, report: reportsOnly, fields, name = owner } = full;
  const refillMs = (burst * rate.windowMs) / rate.requests;
  if (refillMs > LONGEST_REFILL_MS) {
    const message = `a burst of ${burst} at ${rate.text} takes more than 30 days to be regained: choose a smaller burst`;
    report({ code: 'FL3008', message, path: ['rateLimit', 'burst'] });
  }
  if (delay > LONGEST_DELAY_MS)
    report({ code: 'FL3008', message: 'a delay is at most 1m', path: ['rateLimit', 'delay'] });
  return { name, key, rate, burst, delayMs: delay, reportsOnly, fields };
}

class LimitedRoute implements Policy {
  readonly onResponse?: (exchange: PolicyExchange) => undefined;
  readonly #limit: RateLimit;
  readonly #rate;
  readonly #hash;
  readonly #services;
  readonly #reported: () => void;
  readonly #policyField: string;
  #waiting = 0;

  constructor(limit: RateLimit, { services, reported }: CreateContext) {
    const { name, rate, burst, delayMs, key } = limit;
    this.#limit = limit;
    this.#rate = rateOf(rate.windowMs / rate.requests, burst, delayMs);
    // The rate is part of the name: a changed limit counts from zero, and an unchanged one survives reloads.
    this.#hash = services.clients.hash.derive(`rate-limit ${name} ${rate.text} ${burst} ${JSON.stringify(key)}`);
    this.#services = services;
    this.#reported = reported;
    this.#policyField = `"${name}";q=${burst};w=${Math.ceil((burst * rate.windowMs) / rate.requests / 1000)}`;
    if (limit.fields === 'always') this.onResponse = addFields;
  }

  onRequest(exchange: PolicyExchange): PolicyAnswer | Promise<PolicyAnswer> {
    const { clients, nowMs } = this.#services;
    const { rates } = clients;
    this.#hash.of(clientKeyOf(this.#limit.key, exchange));
    const waitMs = rates.take(this.#hash.low, this.#hash.high, this.#rate, nowMs());
    if (this.#limit.fields === 'always') exchange.memo = this.#fieldsOf(rates);
    if (waitMs === 0) return undefined;
    if (this.#limit.reportsOnly) {
      this.#reported();
      return undefined;
    }
    if (waitMs <= this.#limit.delayMs && this.#waiting < MOST_WAITING) return this.#wait(waitMs);
    return this.#refusal(waitMs, rates);
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

  #refusal(waitMs: number, rates: RateTable): CausedReply {
    const fields = ['Retry-After', String(Math.max(1, Math.ceil((waitMs - this.#limit.delayMs) / 1000)))];
    if (this.#limit.fields !== 'never') fields.push(...this.#fieldsOf(rates));
    return { cause: 'rate-limited', fields };
  }

  /** Fields of draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4: what is left, and seconds until all is. */
  #fieldsOf({ left, fullMs }: RateTable): FieldList {
    const limit = `"${this.#limit.name}";r=${left};t=${Math.ceil(fullMs / 1000)}`;
    return ['RateLimit-Policy', this.#policyField, 'RateLimit', limit];
  }
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
