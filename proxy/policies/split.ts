// Policy: splits the requests of a route among upstreams by weight: exactly in turn, or by a key or a cookie, so that a
// client stays with its upstream. A request of a tester may name one. Thread: both.

import { buildHashKey, type HashKey, parseHashKey } from '../../balancers/hash-key.ts';
import { cookieValue } from '../../core/cookie.ts';
import { mix32, murmur32OfString } from '../../core/murmur.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { Policy, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, ExplainedExchange } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';

/** Largest weight of an upstream in a split. */
export const MOST_WEIGHT = 1_000_000;

/** Where a request may name its upstream. */
type Override = { readonly kind: 'header' | 'cookie'; readonly name: string };

/** Data of the policy in a Snapshot. */
export interface SplitData {
  /** Each route takes turns of its own: policies with equal data are one. */
  readonly route: string;
  readonly split: {
    readonly upstreams: readonly string[];
    /** In the order of `upstreams`; at least one above 0. */
    readonly weights: readonly number[];
    readonly key: HashKey | null;
    /** Cookie that keeps a client with its upstream; '' for none. */
    readonly cookie: string;
    readonly override: Override | null;
  };
}

export const split = builtIn({
  name: 'split',
  scope: 'route',
  stage: 'shape',
  needs: ['choose-upstream'],
  options: (schemas) => ({ split: splitOptions(schemas).optional() }),
  compile: ({ split: options }, context): SplitData | null =>
    options === undefined ? null : { route: context.owner, split: compileSplit(options, context) },
  create: ({ split: data }) => new SplitPolicy(data),
  explain: ({ split: data }, exchange): string => explainSplit(data, exchange),
});

/** Names of the upstreams of a route's split, the first one first. */
function splitUpstreams(options: { readonly upstreams: readonly { readonly upstream: string }[] }): string[] {
  return options.upstreams.map(({ upstream }) => upstream);
}

function splitOptions({ z, count, name, token, text }: OptionSchemas) {
  const part = z
    .strictObject({
      upstream: name().describe('Upstream that receives the share.'),
      weight: count(0, MOST_WEIGHT).describe('Share in proportion to the other weights; 0 for testers alone.'),
    })
    .meta({ expects: 'a mapping with upstream and weight', example: '{ upstream: app, weight: 95 }' });
  const parts = z
    .array(part)
    .min(1)
    .meta({ expects: 'a list of upstreams with weights', example: '[{ upstream: app, weight: 95 }]' });
  const override = text(parseOverride, { expects: 'header:NAME or cookie:NAME', example: 'header:x-upstream' });
  const options = z.strictObject({
    upstreams: parts.describe('Upstreams and their weights.'),
    key: text(parseHashKey, { expects: 'a key such as client-ip, header:x-user or cookie:id', example: 'client-ip' })
      .describe('Part of the request that decides, so that requests with the same value stay together.')
      .optional(),
    cookie: token('the name of a cookie', 'variant')
      .describe('Cookie that keeps a client with its upstream; it holds the name of the upstream.')
      .optional(),
    override: override
      .describe('Request field or cookie in which testers name an upstream of the split, whatever its weight.')
      .optional(),
  });
  return z
    .union([parts.transform((upstreams) => options.parse({ upstreams })), options])
    .meta({
      expects: 'a list of upstreams with weights, or a mapping with upstreams',
      example: '[{ upstream: app, weight: 95 }, { upstream: next, weight: 5 }]',
    })
    .describe('Splits the requests among upstreams by weight, instead of `upstream`.');
}

function parseOverride(given: string) {
  const [, kind, name = ''] = /^(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(given) ?? [];
  if (kind === 'header') return { ok: true, value: { kind, name: name.toLowerCase() } as Override } as const;
  if (kind === 'cookie') return { ok: true, value: { kind, name } as Override } as const;
  return { ok: false, message: `${JSON.stringify(given)} is not a place: write header:NAME or cookie:NAME` } as const;
}

type SplitOptions = OptionsOf<{ split: ReturnType<typeof splitOptions> }>['split'];

function compileSplit(options: SplitOptions, { report }: CompileContext): SplitData['split'] {
  const { upstreams, key, cookie = '', override } = options;
  const names = splitUpstreams({ upstreams });
  for (const [index, one] of names.entries()) {
    if (names.indexOf(one) === index) continue;
    const message = `upstream ${one} is in the split twice: add its weights`;
    report({ code: 'FL3003', message, path: ['split'] });
  }
  const weights = upstreams.map(({ weight }) => weight);
  if (weights.every((weight) => weight === 0)) {
    report({ code: 'FL3008', message: 'every weight is 0: at least one upstream needs a share', path: ['split'] });
  }
  if (key !== undefined && cookie !== '') {
    const message = 'a split keeps clients by a key or by a cookie, not both: keep one of them';
    report({ code: 'FL3007', message, path: ['split', 'cookie'], part: 'key' });
  }
  return { upstreams: names, weights, key: key ?? null, cookie, override: override ?? null };
}

/** Never drawn from: requests without a key take turns. */
const NO_RANDOM = { next: () => 0 };

class SplitPolicy implements Policy {
  readonly #data: SplitData['split'];
  readonly #chooser: KeyedChoice | null;
  readonly #turns: Turns;
  readonly onResponse?: (exchange: PolicyExchange) => undefined;

  constructor(data: SplitData['split']) {
    this.#data = data;
    this.#chooser = data.key === null ? null : new KeyedChoice(data, data.key);
    this.#turns = new Turns(data.weights);
    if (data.cookie !== '') this.onResponse = (exchange) => this.#keep(exchange);
  }

  onRequest(exchange: PolicyExchange): undefined {
    const chosen = this.#data.upstreams[this.#choose(exchange)]!;
    if (chosen !== exchange.upstreamName) exchange.chooseUpstream(chosen);
  }

  #choose(exchange: PolicyExchange): number {
    const named = namedUpstream(this.#data, exchange.request);
    if (named >= 0) return named;
    if (this.#data.cookie !== '') {
      const kept = keptUpstream(this.#data, exchange.request);
      if (kept >= 0) return kept;
      exchange.memo = true;
    }
    const keyed = this.#chooser?.of(exchange.request, exchange.clientAddress) ?? -1;
    return keyed >= 0 ? keyed : this.#turns.next();
  }

  /** A response with a cookie in it is one client's own, and no cache may give it to another. */
  #keep(exchange: PolicyExchange): undefined {
    if (exchange.memo !== true) return;
    const secure = exchange.connection.isTls ? '; Secure' : '';
    const cookie = `${this.#data.cookie}=${exchange.upstreamName}; Path=/; HttpOnly; SameSite=Lax${secure}`;
    exchange.addResponseField('Set-Cookie', cookie);
    exchange.addResponseField('Cache-Control', 'private');
  }
}

interface SplitRequest {
  readonly target: string;
  field(name: string): string | undefined;
}

/** Index of the upstream that a tester names; -1 for none. */
function namedUpstream({ override, upstreams }: SplitData['split'], request: SplitRequest): number {
  if (override === null) return -1;
  const { kind, name } = override;
  const given = kind === 'header' ? request.field(name) : cookieValue(request.field('cookie'), name);
  return given === undefined ? -1 : upstreams.indexOf(given);
}

/** Index of the upstream in the client's cookie; -1 for none, and where that has no share any more. */
function keptUpstream({ cookie, upstreams, weights }: SplitData['split'], request: SplitRequest): number {
  const given = cookieValue(request.field('cookie'), cookie);
  const at = given === undefined ? -1 : upstreams.indexOf(given);
  return at >= 0 && weights[at]! > 0 ? at : -1;
}

/** Smooth weighted round robin: after each round of as many requests as the weights sum to, the shares are exact. */
class Turns {
  readonly #weights: readonly number[];
  readonly #total: number;
  readonly #due: number[];

  constructor(weights: readonly number[]) {
    this.#weights = weights;
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#due = weights.map(() => 0);
  }

  next(): number {
    let chosen = 0;
    for (let at = 0; at < this.#due.length; at++) {
      this.#due[at]! += this.#weights[at]!;
      if (this.#due[at]! > this.#due[chosen]!) chosen = at;
    }
    this.#due[chosen]! -= this.#total;
    return chosen;
  }
}

/**
 * Weighted rendezvous hashing: a changed weight moves only keys to or from its upstream (Schindelhauer and Schomaker,
 * 2005). The same in every worker and process.
 */
class KeyedChoice {
  readonly #seeds: readonly number[];
  readonly #weights: readonly number[];
  readonly #read: ReturnType<typeof buildHashKey>;
  readonly #words = { hash1: 0, hash2: 0 };

  constructor({ upstreams, weights }: SplitData['split'], key: HashKey) {
    this.#seeds = upstreams.map((name) => murmur32OfString(name, 0));
    this.#weights = weights;
    this.#read = buildHashKey(key, 0, NO_RANDOM);
  }

  /** -1 where the request has no key. */
  of(request: SplitRequest, clientAddress: string): number {
    if (!this.#read(request, clientAddress, this.#words)) return -1;
    let [chosen, best] = [-1, -1];
    for (let at = 0; at < this.#seeds.length; at++) {
      const unit = (mix32(this.#words.hash1 ^ this.#seeds[at]!) + 0.5) / 0x1_0000_0000;
      const score = this.#weights[at]! / -Math.log(unit);
      if (score > best && this.#weights[at]! > 0) [chosen, best] = [at, score];
    }
    return chosen;
  }
}

function explainSplit(data: SplitData['split'], { request, clientAddress }: ExplainedExchange): string {
  const { upstreams, weights, key, cookie } = data;
  const named = namedUpstream(data, request);
  if (named >= 0) return `sends it to ${upstreams[named]}, which the request names`;
  const kept = cookie === '' ? -1 : keptUpstream(data, request);
  if (kept >= 0) return `sends it to ${upstreams[kept]}, by the cookie ${cookie}`;
  const keyed = key === null ? -1 : new KeyedChoice(data, key).of(request, clientAddress);
  if (keyed >= 0) return `sends it to ${upstreams[keyed]}, by its key`;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = upstreams.map((name, at) => `${name} ${Number(((100 * weights[at]!) / total).toFixed(2))} %`);
  return `sends it in turn to ${shares.join(', ')}`;
}
