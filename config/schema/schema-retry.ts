// Schema of an upstream's `retry` and `hedge`: trying again after a failure, or before one. Thread: main.

import { z } from 'zod';
import type { HedgeSnapshot } from '../../core/snapshot/upstream.ts';
import { parseDuration } from '../values/duration.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { count, duration, factor, parsedText, size } from './schema-values.ts';

const CONDITIONS = ['connect-failure', 'reset', 'timeout'] as const;

const condition = z.union([z.enum(CONDITIONS), count(400, 599)]).meta({
  expects: `${CONDITIONS.join(', ')}, or a status from 400 to 599`,
  example: 'connect-failure',
});

export const retry = z
  .strictObject({
    attempts: count(0, 10)
      .default(1)
      .describe('Tries in addition to the first one, at other endpoints first; 0 is none.'),
    on: z
      .array(condition)
      .default([...CONDITIONS])
      .meta({ expects: `a list of ${CONDITIONS.join(', ')} and statuses`, example: '[connect-failure, reset, 503]' })
      .describe(
        'After what another try is made. What never reached an endpoint may be any method; else only safe and idempotent ones.',
      ),
    perTryTimeout: duration()
      .describe(
        'How long one try may take to the head of the response, where another may follow. If absent, no try is cut: a slow response is better than none, and `timeouts.response` bounds all tries.',
      )
      .optional(),
    budget: z
      .strictObject({
        ratio: factor(0, 1, '0.2').default(0.2).describe('Retries per request, over all requests.'),
        min: count(0, 10_000).default(3).describe('Retries that are allowed however few requests there are.'),
      })
      .prefault({})
      .describe('Bounds retries, so that they cannot turn an overload into a collapse.'),
    buffer: size('0B', '16MiB')
      .prefault('64KiB')
      .describe('Largest request body that is kept, so that it can be sent again; a larger one is sent once.'),
  })
  .prefault({})
  .describe('Trying again elsewhere when an endpoint fails.');

/** Reads `200ms` or `p95`. */
export function parseHedgeDelay(text: string): Parsed<HedgeSnapshot> {
  const digits = /^p(\d\d(?:\.\d)?)$/.exec(text)?.[1];
  if (digits !== undefined) return percentile(text, Number(digits));
  const parsed = parseDuration(text);
  if (parsed.ok && parsed.value > 0) return { ok: true, value: { afterMs: parsed.value, percentile: 0 } };
  const near = /^p?(\d\d(?:\.\d)?) ?(?:%|th)?$/i.exec(text)?.[1];
  const suggestion = near === undefined || /^[\d.]+$/.test(text) ? undefined : `p${near}`;
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const message = `${quoted(text)} is not a delay: write a duration such as 200ms, or a percentile such as p95${hint}`;
  return { ok: false, message, suggestion };
}

/** Below the median most requests would be sent twice; beyond p99.9 there is too little to measure. */
function percentile(text: string, percent: number): Parsed<HedgeSnapshot> {
  if (percent >= 50) return { ok: true, value: { afterMs: 0, percentile: Math.round(percent * 10) / 1000 } };
  return { ok: false, message: `${quoted(text)} is out of range: allowed is p50 to p99.9` };
}

export const hedge = z
  .strictObject({
    after: parsedText(parseHedgeDelay, {
      expects: 'a duration such as 200ms, or a percentile from p50 to p99.9',
      example: 'p95',
    }).describe(
      'When the second try begins: after a time, or when the request takes longer than that share of recent ones.',
    ),
  })
  .meta({ expects: 'a mapping such as { after: p95 }', example: '{ after: p95 }' })
  .describe(
    'A second try beside a slow first one, at another endpoint, for GET and HEAD, within the retry budget. The first answer counts, the other try is cancelled. None if absent.',
  )
  .optional();

export type RetryConfig = z.output<typeof retry>;
