// Schema of an upstream's `balance`: the balancer and its settings. Thread: main.

import { z } from 'zod';
import type { HashKey } from '../../core/snapshot/upstream.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { count, duration, factor, parsedText } from './schema-values.ts';

/** Balancers without settings of their own, and with them. */
const STRATEGIES = ['least-request', 'round-robin', 'random', 'peak-ewma', 'first', 'consistent-hash'] as const;

const strategyMeta = { expects: `one of ${STRATEGIES.join(', ')}`, example: 'random', description: 'The balancer.' };

/** Reads `client-ip`, `path`, `header:NAME`, `cookie:NAME` or `query:NAME`. */
export function parseHashKey(text: string): Parsed<HashKey> {
  if (text === 'client-ip' || text === 'path') return { ok: true, value: { kind: text } };
  const match = /^(header|cookie|query):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text);
  const [, kind, named = ''] = match ?? [];
  if (kind === 'header') return { ok: true, value: { kind, name: named.toLowerCase() } };
  if (kind === 'cookie' || kind === 'query') return { ok: true, value: { kind, name: named } };
  const message = `${quoted(text)} is not a key: write client-ip, path, header:NAME, cookie:NAME or query:NAME`;
  return { ok: false, message };
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return number > 1;
}

const tableSize = count(2, 10_000_019).superRefine((size, context) => {
  if (isPrime(size)) return;
  const message = `${size} is not a prime number: Maglev reaches every place of its table only then; 65537 is one`;
  context.issues.push({ code: 'custom', message, input: size, params: { code: 'FL2005', suggestion: '65537' } });
});

const strategies = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal(['least-request', 'round-robin', 'first']).meta(strategyMeta) }),
  z.strictObject({
    strategy: z.literal('random').meta(strategyMeta),
    choices: z
      .literal([1, 2])
      .default(1)
      .describe('With `random`: `2` draws two endpoints and takes the one with less in flight.'),
  }),
  z.strictObject({
    strategy: z.literal('peak-ewma').meta(strategyMeta),
    decay: duration()
      .prefault('10s')
      .describe('With `peak-ewma`: time in which an old latency loses most of its weight.'),
    errorPenalty: duration()
      .prefault('1s')
      .describe('With `peak-ewma`: latency that an error counts as, so that failing fast attracts nothing.'),
  }),
  z.strictObject({
    strategy: z.literal('consistent-hash').meta(strategyMeta),
    key: parsedText(parseHashKey, {
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
    tableSize: tableSize
      .describe(
        'With `consistent-hash`: places in the table, a prime; 65537, or 655373 above 655 endpoints, if absent.',
      )
      .optional(),
    seed: count(0, 0xffff_ffff)
      .default(0)
      .describe('With `consistent-hash`: seed of the hash; several proxies agree when it is the same.'),
  }),
]);

export const balance = z
  .union([z.enum(STRATEGIES), strategies])
  .transform((given) => (typeof given === 'string' ? strategies.parse({ strategy: given }) : given))
  .meta({
    expects: `${STRATEGIES.join(', ')}, or a mapping with strategy`,
    example: '{ strategy: consistent-hash, key: header:x-user }',
  });
