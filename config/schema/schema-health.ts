// Schema of an upstream's `health`: heartbeats and outlier detection. Thread: main.

import { z } from 'zod';
import { heartbeatSchema } from './schema-heartbeat.ts';
import { count, duration, factor, percent } from './schema-values.ts';

const outliers = z
  .strictObject({
    interval: duration().prefault('10s').describe('Interval of comparisons, and the window that each one covers.'),
    minRequests: count(1, 1_000_000)
      .default(100)
      .describe('Responses of an endpoint in the window that are required to compare it.'),
    minGap: percent('5%')
      .prefault('5%')
      .describe("Minimum excess of an endpoint's failure rate over that of the others, in percentage points."),
    sigmas: factor(1, 20, '4')
      .default(4)
      .describe('Minimum statistical significance of the excess, in standard deviations.'),
  })
  .meta({ expects: 'a mapping such as { minGap: 5% }, or false', example: '{ minGap: 5% }' });

const passive = z
  .strictObject({
    consecutiveFailures: count(0, 10_000)
      .default(5)
      .describe('Consecutive failures, over all workers, that eject an endpoint; 0 leaves ejection to `outliers`.'),
    stallAfter: duration({ orNone: true })
      .prefault('100ms')
      .describe(
        'Minimum time after which an endpoint is suspect because it answers nothing while several requests wait for far longer than usual. Its heartbeat decides at once; hashed keys and sticky clients stay. A slow response beside others that are answered is no sign. `none` disables it.',
      ),
    outliers: z
      .union([z.literal(false), outliers])
      .prefault({})
      .meta({ expects: 'a mapping such as { minGap: 5% }, or false', example: '{ minGap: 5% }' })
      .describe('Ejection of endpoints that fail significantly more often than the others; `false` disables it.'),
    ejection: z
      .strictObject({
        base: duration()
          .prefault('10s')
          .describe('Length of the first ejection; consecutive ejections are 2, 3, ... times as long.'),
        max: duration().prefault('300s').describe('Longest ejection.'),
      })
      .prefault({})
      .describe('Length of ejections.'),
    maxEjectedPercent: count(0, 100)
      .default(50)
      .describe(
        'Limit of ejected and down endpoints together, in percent; at the limit no more are ejected. The last usable endpoint is never ejected.',
      ),
  })
  .prefault({})
  .describe('Outlier detection: ejection of endpoints by the outcome of live requests.');

/** Schema of `health`, for the checkers that are registered now. */
export function healthSchema() {
  return z
    .strictObject({
      heartbeat: z
        .union([z.literal(false), heartbeatSchema()])
        .meta({ expects: 'a mapping such as { path: /healthz }, or false', example: '{ path: /healthz }' })
        .describe('Active health checks. Without them (or with `false`) only live requests reveal failures.')
        .optional(),
      passive,
    })
    .prefault({})
    .describe('Health checks and outlier detection.');
}
