// Policy: compresses responses and local replies for clients that accept it. Acts first in the order of requests, and so last
// on responses: every other policy edits the plain body. Thread: both.

import type { OptionSchemas } from '../../core/option-schema.ts';
import type { PendingReply, PolicyExchange, PolicyReply } from '../../core/policy/policy.ts';
import type { PolicyServices } from '../../core/policy/policy-definition.ts';
import { type Coding, CodingChoice, CODINGS } from './accept-encoding.ts';
import { builtIn } from './built-in.ts';
import {
  type CompressibleRules,
  forbidsTransform,
  isCompressible,
  typePatternOf,
  lacksVary,
  weakTag,
} from './compressible.ts';
import { Compressor, compressWhole, type Effort, EFFORTS } from './compressor.ts';

const TYPES = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/javascript',
  'application/xml',
  'application/*+xml',
  'application/wasm',
  'image/svg+xml',
  'font/ttf',
  'font/otf',
];
const TYPE = /^[a-z0-9!#$&^_.+-]+\/(?:[a-z0-9!#$&^_.-]+|\*)(?:\+[a-z0-9!#$&^_.+-]+)?$/i;
/** Pressure from which compression spends less time, and from which it stops. */
const BUSY = 0.5;
const OVERLOADED = 0.8;
const ACCEPT_ENCODING = 'accept-encoding';

/** Data of the policy in a Snapshot. */
export interface CompressData {
  readonly compress: CompressibleRules & {
    /** In the order of preference. */
    readonly codings: readonly Coding[];
    readonly effort: Effort;
    /** Bodies that one worker compresses at the same time. */
    readonly streams: number;
  };
}

export const compress = builtIn({
  name: 'compress',
  scope: 'route',
  stage: 'admit',
  needs: ['transform-response-body'],
  options: (schemas) => ({ compress: compressOptions(schemas).optional() }),
  compile: ({ compress: given }): CompressData | null => {
    if (given === undefined) return null;
    const { types, minSize, codings, effort, streams } = given;
    return { compress: { types: types.map(typePatternOf), minBytes: minSize, codings, effort, streams } };
  },
  explain({ compress: { codings } }, { request }): string {
    const { coding } = new CodingChoice(codings).of(request.field(ACCEPT_ENCODING));
    return coding === null ? 'leaves bodies as they are: the client accepts no coding' : `compresses with ${coding}`;
  },
  create: ({ compress: data }, { services }) => new CompressPolicy(data, services),
});

function compressOptions({ z, count, size, text }: OptionSchemas) {
  const type = text(
    (given) =>
      TYPE.test(given)
        ? { ok: true, value: given.toLowerCase() }
        : { ok: false, message: `${JSON.stringify(given)} is not a media type: write application/json, or text/*` },
    { expects: 'a media type', example: 'application/json' },
  );
  const options = z.strictObject({
    codings: z
      .array(z.enum(CODINGS))
      .min(1)
      .default([...CODINGS])
      .meta({ expects: 'a list of zstd, br and gzip' })
      .describe('Codings to use; the first one wins where the client accepts several equally.'),
    types: z
      .array(type)
      .min(1)
      .prefault(TYPES)
      .meta({ expects: 'a list of media types' })
      .describe('Media types to compress: `application/json`, `text/*`, `application/*+json`.'),
    minSize: size('1B', '1GiB').prefault('1KiB').describe('Responses of a known length below it are sent as they are.'),
    effort: z
      .enum(EFFORTS)
      .default('balanced')
      .describe('How much time is spent for smaller bodies; `fast` is used anyway while the process is busy.'),
    streams: count(1, 10_000)
      .default(128)
      .describe('Bodies that one worker compresses at the same time; further ones are sent as they are.'),
  });
  return z
    .union([z.literal(true).transform(() => options.parse({})), options])
    .meta({ expects: 'true, or a mapping with codings, types, minSize, effort and streams', example: 'true' })
    .describe('Compresses responses for clients that accept it.');
}

class CompressPolicy {
  readonly #data: CompressData['compress'];
  readonly #services: PolicyServices;
  readonly #choice: CodingChoice;
  readonly #codedBodies = new WeakMap<Uint8Array, Map<string, Uint8Array>>();
  #open = 0;

  constructor(data: CompressData['compress'], services: PolicyServices) {
    this.#data = data;
    this.#services = services;
    this.#choice = new CodingChoice(data.codings);
  }

  onResponse(exchange: PolicyExchange): undefined {
    if (exchange.response!.status === 304) revalidated(exchange);
    else this.#consider(exchange);
  }

  onLocalReply(exchange: PolicyExchange, reply: PendingReply): PolicyReply | undefined {
    const field = (name: string) => fieldIn(reply, name);
    const size = reply.body.byteLength;
    if (!isCompressible(reply.status, field, this.#data.types) || size === 0) return undefined;
    const { coding, isIdentityRefused } = this.#choice.of(exchange.request.field(ACCEPT_ENCODING));
    if (size < this.#data.minBytes && !isIdentityRefused) return undefined;
    const fields = [...reply.fields];
    if (lacksVary(field('vary'), ACCEPT_ENCODING)) fields.push('Vary', 'Accept-Encoding');
    const effort = this.#effort();
    if (coding === null || effort === null || forbidsTransform(exchange.request.field('cache-control'))) {
      return { ...reply, fields };
    }
    const coded = fields.flatMap((name, at) => (at % 2 === 0 ? codedField(name, fields[at + 1]!) : []));
    return {
      ...reply,
      fields: [...coded, 'Content-Encoding', coding],
      body: this.#coded(reply.body, coding, effort),
    };
  }

  /** Bodies that are configured are the same objects each time, and compressed once. */
  #coded(body: Uint8Array, coding: Coding, effort: Effort): Uint8Array {
    let codedBodies = this.#codedBodies.get(body);
    if (codedBodies === undefined) this.#codedBodies.set(body, (codedBodies = new Map()));
    const key = `${coding} ${effort}`;
    let coded = codedBodies.get(key);
    if (coded === undefined) codedBodies.set(key, (coded = compressWhole(body, coding, effort)));
    return coded;
  }

  #consider(exchange: PolicyExchange): void {
    const head = exchange.response!;
    const field = (name: string) => exchange.responseField(name);
    if (!isCompressible(head.status, field, this.#data.types)) return;
    const { coding, isIdentityRefused } = this.#choice.of(exchange.request.field(ACCEPT_ENCODING));
    const isSmall = head.hasLength && head.bodyLength < this.#data.minBytes;
    if (isSmall && !(isIdentityRefused && head.bodyLength > 0)) return;
    if (lacksVary(field('vary'), ACCEPT_ENCODING)) exchange.addResponseField('Vary', 'Accept-Encoding');
    const effort = this.#effort();
    if (coding === null || effort === null || forbidsTransform(exchange.request.field('cache-control'))) return;
    if (this.#open < this.#data.streams) this.#transform(exchange, coding, effort);
  }

  #transform(exchange: PolicyExchange, coding: Coding, effort: Effort): void {
    const { bodyLength, hasLength } = exchange.response!;
    const { timers } = this.#services;
    const isTransformed = exchange.transformBody((sink) => {
      this.#open++;
      const closed = () => this.#open--;
      return new Compressor(sink, coding, effort, hasLength ? bodyLength : -1, { timers, closed });
    });
    if (!isTransformed) return;
    exchange.setResponseField('Content-Encoding', coding);
    exchange.removeResponseField('Accept-Ranges');
    const tag = exchange.responseField('etag');
    if (tag !== undefined) exchange.setResponseField('ETag', weakTag(tag));
  }

  /** Null while nothing is compressed, to leave the processor to requests. */
  #effort(): Effort | null {
    const pressure = this.#services.pressure();
    if (pressure >= OVERLOADED) return null;
    return pressure >= BUSY ? 'fast' : this.#data.effort;
  }
}

/**
 * A 304 has the Vary and the ETag of the 200 that it stands for (RFC 9110 section 15.4.5): a weak tag where the client
 * holds the compressed body, whose tag was made weak.
 */
function revalidated(exchange: PolicyExchange): void {
  const tag = exchange.responseField('etag');
  const held = exchange.request.field('if-none-match');
  if (tag === undefined || tag.startsWith('W/') || held?.includes(weakTag(tag)) !== true) return;
  exchange.setResponseField('ETag', weakTag(tag));
  if (lacksVary(exchange.responseField('vary'), ACCEPT_ENCODING)) exchange.addResponseField('Vary', 'Accept-Encoding');
}

function codedField(name: string, value: string): string[] {
  const lower = name.toLowerCase();
  if (lower === 'accept-ranges') return [];
  return [name, lower === 'etag' ? weakTag(value) : value];
}

function fieldIn({ fields }: PendingReply, name: string): string | undefined {
  const values = fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}
