// Schema of an upstream's `retry` and `hedge`. Thread: main.

import { z } from 'zod';
import type { HedgeSnapshot } from '../../core/snapshot/upstream.ts';
import { parseDuration } from '../values/duration.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { count, duration, factor, parsedText, size } from './schema-values.ts';

const FAILURES = ['connect-failure', 'reset', 'timeout'] as const;
/** Statuses of gRPC by the word for them. */
export const GRPC_CONDITIONS = {
  'grpc-cancelled': 1,
  'grpc-deadline-exceeded': 4,
  'grpc-resource-exhausted': 8,
  'grpc-internal': 13,
  'grpc-unavailable': 14,
} as const;
const CONDITIONS = [...FAILURES, ...(Object.keys(GRPC_CONDITIONS) as (keyof typeof GRPC_CONDITIONS)[])] as const;
/** Of all statuses it alone says that the request was not processed (RFC 9110 section 15.6.4). */
const UNAVAILABLE = 503;

const condition = z.union([z.enum(CONDITIONS), count(400, 599)]).meta({
  expects: `${CONDITIONS.join(', ')}, or a status from 400 to 599`,
  example: 'connect-failure',
});

const keys = {
  attempts: count(0, 10).describe(
    'Attempts in addition to the first one, at other endpoints first; 0 disables retries.',
  ),
  on: z
    .array(condition)
    .meta({ expects: `a list of ${CONDITIONS.join(', ')} and statuses`, example: '[connect-failure, reset, 503]' })
    .describe(
      'Failures and statuses that are retried. Requests that never reached an endpoint are retried with any method, others only with safe and idempotent methods. A response whose retry is not permitted goes to the client. The statuses of gRPC (`grpc-unavailable` and others) retry calls that were answered without a message, of any method: list them only if repeating such a call does no harm.',
    ),
  perTryTimeout: duration().describe(
    'Time for one attempt until the response head, if another attempt may follow. If absent, no attempt is cut: a slow response is better than none, and `timeouts.response` bounds all attempts.',
  ),
  buffer: size('0B', '16MiB').describe(
    'Largest request body that is kept for a retry; a larger one is sent only once.',
  ),
};

/** `retry` of a route. The budget belongs to the upstream, which it protects. */
export const routeRetry = z
  .strictObject(keys)
  .partial()
  .meta({ expects: 'a mapping with attempts, on, perTryTimeout and buffer', example: '{ attempts: 0 }' })
  .describe('Retries, in place of the settings of the upstream; its budget stays.')
  .optional();

export const retry = z
  .strictObject({
    attempts: keys.attempts.default(2),
    on: keys.on.default([...FAILURES, UNAVAILABLE]),
    perTryTimeout: keys.perTryTimeout.optional(),
    budget: z
      .strictObject({
        ratio: factor(0, 1, '0.2').default(0.2).describe('Retries as a share of requests.'),
        min: count(0, 10_000).default(3).describe('Concurrent retries that are always allowed.'),
      })
      .prefault({})
      .describe('Limit of retries, so that they cannot amplify an overload.'),
    buffer: keys.buffer.prefault('64KiB'),
  })
  .prefault({})
  .describe('Retries at another endpoint after a failure.');

/** Parses `200ms` or `p95`. */
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

/** Below the median most requests would be sent twice; above p99.9 there are too few samples. */
function percentile(text: string, percent: number): Parsed<HedgeSnapshot> {
  if (percent >= 50) return { ok: true, value: { afterMs: 0, percentile: Math.round(percent * 10) / 1000 } };
  return { ok: false, message: `${quoted(text)} is out of range: must be p50 to p99.9` };
}

export const hedge = z
  .strictObject({
    after: parsedText(parseHedgeDelay, {
      expects: 'a duration such as 200ms, or a percentile from p50 to p99.9',
      example: 'p95',
    }).describe('Start of the second attempt: a delay, or a percentile of recent response times.'),
  })
  .meta({ expects: 'a mapping such as { after: p95 }', example: '{ after: p95 }' })
  .describe(
    'Hedging: a second, concurrent attempt at another endpoint when the first is slow. For GET and HEAD, within the retry budget. The first response is used, and the other attempt is cancelled. Disabled if absent.',
  )
  .optional();

export type RetryConfig = z.output<typeof retry>;
