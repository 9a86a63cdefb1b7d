// Policy: sends copies of the requests of a route to other upstreams, and discards their responses. The copy is made of
// what the endpoint gets, once the request is complete; whatever happens to it has no effect on the client's request.
// Thread: both.

import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { MirrorDrop } from '../../core/policy/mirror-service.ts';
import type { BodyDirection, Policy, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, PolicyServices } from '../../core/policy/policy-definition.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { BodyCopy } from './body-copy.ts';
import { builtIn } from './built-in.ts';

const NAME = 'mirror';
/** Largest number of mirrors of one route. */
const MOST_MIRRORS = 16;
/** The numerator of a share in percent is exact to this part of a percent. */
const PARTS_OF_PERCENT = 10_000;

/** One upstream that gets copies. */
interface Mirror {
  readonly upstream: string;
  /** `numerator` of every `denominator` requests. */
  readonly numerator: number;
  readonly denominator: number;
  readonly bodyBytes: number;
  /** Copies in flight to the upstream, from each worker. */
  readonly inFlight: number;
  readonly timeoutMs: number;
}

/** Data of the policy in a Snapshot. */
export interface MirrorData {
  /** Routes with the same mirrors have samples of their own. */
  readonly route: string;
  readonly mirrors: readonly Mirror[];
}

/** The part of an exchange that only this policy uses. */
interface MirroredExchange extends PolicyExchange {
  readonly exchange: { readonly upgrade: object | null };
}

export const mirror = builtIn({
  name: NAME,
  scope: 'route',
  // The last of the last stage: copies have all edits.
  stage: 'identify',
  needs: ['read-request-body'],
  options: (schemas) => ({ mirror: mirrorOptions(schemas).optional() }),
  compile: ({ mirror: options }, context): MirrorData | null =>
    options === undefined || !context.hasUpstream ? null : compileMirrors(options, context),
  create: (data, { services }) => new MirroredRoute(data, services),
  explain: ({ mirrors }) => `copies ${mirrors.map(textOf).join(', ')}`,
});

/** Names of the upstreams that get copies of the requests of a route. */
export function mirrorUpstreams({ policies }: { readonly policies: readonly PolicySnapshot[] }): string[] {
  const data = policies.find(({ name }) => name === NAME)?.data as MirrorData | undefined;
  return data?.mirrors.map(({ upstream }) => upstream) ?? [];
}

function mirrorOptions({ z, text, name, size, count, duration, oneOrMany }: OptionSchemas) {
  const share = z
    .union([
      z.number().min(0).max(100).transform(shareOfPercent),
      text(parseShare, { expects: 'a percentage or a fraction', example: '10%' }),
    ])
    .meta({ expects: 'a percentage from 0 to 100, or a fraction such as 1/3', example: '10' });
  const one = z
    .strictObject({
      to: name().describe('Upstream that gets the copies.'),
      percent: share
        .prefault(100)
        .describe(
          'Share of requests that is copied, as `10`, `0.5%` or `1/3`: exact over time in each worker, for each route.',
        ),
      maxBody: size('0B', '64MiB')
        .prefault('64KiB')
        .describe('Size limit of the body of a request: larger ones are not copied, and counted.'),
      maxInFlight: count(1, 100_000)
        .default(64)
        .describe('Copies in flight to the upstream, from each worker: above it none is made, which is counted.'),
      timeout: duration().prefault('30s').describe('Time until the response to a copy has ended.'),
    })
    .meta({ expects: 'a mapping with to', example: '{ to: shadow, percent: 10 }' });
  return oneOrMany(one)
    .meta({ expects: 'a mapping with to, or a list of them', example: '{ to: shadow, percent: 10 }' })
    .describe(
      'Sends copies of the requests to another upstream, or several, and discards their responses (as mirror in nginx and RequestMirror in Gateway API).',
    );
}

type Share = { readonly numerator: number; readonly denominator: number };

function shareOfPercent(percent: number): Share {
  return { numerator: Math.round(percent * PARTS_OF_PERCENT), denominator: 100 * PARTS_OF_PERCENT };
}

function parseShare(given: string): { ok: true; value: Share } | { ok: false; message: string } {
  const [, percent, numerator, denominator] = /^(?:(\d{1,3}(?:\.\d{1,4})?)%|(\d{1,10})\/(\d{1,10}))$/.exec(given) ?? [];
  const share =
    percent === undefined
      ? { numerator: Number(numerator), denominator: Number(denominator) }
      : shareOfPercent(Number(percent));
  if (share.denominator > 0 && share.numerator <= share.denominator) return { ok: true, value: share };
  return {
    ok: false,
    message: `${JSON.stringify(given)} is not a share: write a percentage from 0% to 100%, or a fraction`,
  };
}

type MirrorOptions = NonNullable<OptionsOf<{ mirror: ReturnType<typeof mirrorOptions> }>['mirror']>;

function compileMirrors(options: MirrorOptions, { owner, report }: CompileContext): MirrorData {
  if (options.length > MOST_MIRRORS) {
    const message = `a route has at most ${MOST_MIRRORS} mirrors, this one has ${options.length}`;
    report({ code: 'FL3008', message, path: ['mirror'] });
  }
  const mirrors = options.map(({ to, percent, maxBody, maxInFlight, timeout }) => {
    return { upstream: to, ...percent, bodyBytes: maxBody, inFlight: maxInFlight, timeoutMs: timeout };
  });
  return { route: owner, mirrors };
}

/** A sample: of the first n requests it takes n times the share, rounded down. */
class Sample {
  readonly mirror: Mirror;
  #due = 0;

  constructor(one: Mirror) {
    this.mirror = one;
  }

  takesNext(): boolean {
    this.#due += this.mirror.numerator;
    if (this.#due < this.mirror.denominator) return false;
    this.#due -= this.mirror.denominator;
    return true;
  }
}

/** A request whose body isn't complete yet. */
interface PendingCopy {
  readonly mirrors: readonly Mirror[];
  readonly body: BodyCopy;
}

class MirroredRoute implements Policy {
  readonly #samples: readonly Sample[];
  readonly #services: Pick<PolicyServices, 'mirrors' | 'mustShed'>;

  constructor({ mirrors }: MirrorData, services: Pick<PolicyServices, 'mirrors' | 'mustShed'>) {
    this.#samples = mirrors.map((one) => new Sample(one));
    this.#services = services;
  }

  onRequest(exchange: PolicyExchange): undefined {
    const { method, bodyLength } = exchange.request;
    if ((exchange as MirroredExchange).exchange.upgrade !== null || method === 'CONNECT') return;
    const mirrors = this.#chosen(bodyLength);
    if (mirrors.length === 0) return;
    const limitBytes = Math.max(...mirrors.map(({ bodyBytes }) => bodyBytes));
    const pending: PendingCopy = { mirrors, body: new BodyCopy(this.#services.mirrors(), limitBytes) };
    if (bodyLength === 0) this.#send(exchange, pending);
    else exchange.memo = pending;
  }

  onBodyChunk(exchange: PolicyExchange, chunk: Uint8Array, _: BodyDirection, isLast: boolean): undefined {
    const pending = exchange.memo as PendingCopy | undefined;
    if (pending === undefined) return;
    if (isLast) {
      exchange.memo = undefined;
      this.#send(exchange, pending);
      return;
    }
    const cause = pending.body.add(chunk);
    if (cause !== null) this.#drop(exchange, pending, cause);
  }

  /** The client has left, or was answered before its request was complete. */
  onEnd(exchange: PolicyExchange): undefined {
    const pending = exchange.memo as PendingCopy | undefined;
    if (pending !== undefined) this.#drop(exchange, pending, 'unfinished');
  }

  /** The mirrors that get this request. @param bodyLength as in RequestHead */
  #chosen(bodyLength: number): Mirror[] {
    const chosen: Mirror[] = [];
    for (const sample of this.#samples) {
      if (!sample.takesNext()) continue;
      const cause = bodyLength > sample.mirror.bodyBytes ? 'body-too-large' : this.#reasonToDrop(sample.mirror);
      if (cause === null) chosen.push(sample.mirror);
      else this.#services.mirrors().dropped(sample.mirror.upstream, cause);
    }
    return chosen;
  }

  #send(exchange: PolicyExchange, { mirrors, body }: PendingCopy): void {
    const service = this.#services.mirrors();
    const { chunks, sizeBytes } = body;
    for (const mirror of mirrors) {
      const { upstream, timeoutMs } = mirror;
      const cause = sizeBytes > mirror.bodyBytes ? 'body-too-large' : this.#reasonToDrop(mirror);
      if (cause !== null) {
        service.dropped(upstream, cause);
        continue;
      }
      body.hold();
      const released = (): void => body.release();
      service.send((exchange as MirroredExchange).exchange, { upstream, chunks, sizeBytes, timeoutMs, released });
    }
    body.release();
  }

  /** Copies are refused with the requests that may be shed first. */
  #reasonToDrop({ upstream, inFlight }: Mirror): MirrorDrop | null {
    if (this.#services.mustShed('sheddable')) return 'overload';
    return this.#services.mirrors().hasRoom(upstream, inFlight) ? null : 'busy';
  }

  #drop(exchange: PolicyExchange, { mirrors, body }: PendingCopy, cause: MirrorDrop): void {
    exchange.memo = undefined;
    body.release();
    for (const { upstream } of mirrors) this.#services.mirrors().dropped(upstream, cause);
  }
}

function textOf({ upstream, numerator, denominator }: Mirror): string {
  return `${Number(((100 * numerator) / denominator).toFixed(4))} % of requests to ${upstream}`;
}
