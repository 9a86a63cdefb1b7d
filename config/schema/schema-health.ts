// Schema of an upstream's `health`: active checks, and judgement by live traffic. Thread: main.

import { z } from 'zod';
import { heartbeatSchema } from './schema-heartbeat.ts';
import { count, duration, factor, percent } from './schema-values.ts';

const outliers = z
  .strictObject({
    interval: duration().prefault('10s').describe('From one comparison to the next, and what it looks back on.'),
    minRequests: count(1, 1_000_000)
      .default(100)
      .describe('Requests that an endpoint must have answered in that time to be compared.'),
    minGap: percent('5%')
      .prefault('5%')
      .describe("How many points worse than the others' an endpoint's share of failures must be."),
    sigmas: factor(1, 20, '4').default(4).describe('How far beyond chance the gap must be, in standard deviations.'),
  })
  .meta({ expects: 'a mapping such as { minGap: 5% }, or false', example: '{ minGap: 5% }' });

const passive = z
  .strictObject({
    consecutiveFailures: count(0, 10_000)
      .default(5)
      .describe('Failures in a row, over all workers, that eject an endpoint; 0 ejects by `outliers` alone.'),
    outliers: z
      .union([z.literal(false), outliers])
      .prefault({})
      .meta({ expects: 'a mapping such as { minGap: 5% }, or false', example: '{ minGap: 5% }' })
      .describe('Ejecting an endpoint that fails clearly more often than the others do; `false` turns it off.'),
    ejection: z
      .strictObject({
        base: duration()
          .prefault('10s')
          .describe('Length of the first ejection; the second one is twice as long, and so on.'),
        max: duration().prefault('300s').describe('Longest ejection.'),
      })
      .prefault({})
      .describe('How long an endpoint is ejected.'),
    maxEjectedPercent: count(0, 100)
      .default(50)
      .describe(
        'Most endpoints, in percent, that may be ejected or down before no more are ejected. The last one never is.',
      ),
  })
  .prefault({})
  .describe('Judging endpoints by their answers to live requests.');

/** Schema of `health`, for the checkers that are registered now. */
export function healthSchema() {
  return z
    .strictObject({
      heartbeat: z
        .union([z.literal(false), heartbeatSchema()])
        .meta({ expects: 'a mapping such as { path: /healthz }, or false', example: '{ path: /healthz }' })
        .describe('Active checks. Without them (or with `false`) only live requests tell whether an endpoint is well.')
        .optional(),
      passive,
    })
    .prefault({})
    .describe('How endpoints are found to be well or not.');
}
