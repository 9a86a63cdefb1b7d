// Schemas and handler of the traffic of the last hour, and the error budget computed from it. Thread: main.

import { z } from 'zod';
import { HISTORY_STEP_MS, type HistoryStep, type TrafficHistory } from '../metrics/traffic-history.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import { amount, time } from './endpoint-schemas.ts';
import { isoOf } from './iso-time.ts';

const values = z.array(z.number().nullable());

const series = z.strictObject({
  requestsPerSecond: values,
  errorsPerSecond: values.describe('Responses with a status of 5xx.'),
  p50Ms: values.describe('Null without responses.'),
  p99Ms: values,
  inFlight: values.describe('At the end of the step.'),
  queued: values.describe('At the end of the step.'),
  saturation: values.describe(
    'Use of limits, 1 is full: requests in flight of the limits of its endpoints; in total also the fullest overload limit. Null without limits.',
  ),
});

const budget = z.strictObject({
  target: z.number().describe('Share of requests that should not fail: `admin.availabilityTarget`.'),
  requests: amount.describe('Of the last hour.'),
  errors: amount.describe('Of these, with a status of 5xx.'),
  usedShare: z
    .number()
    .nullable()
    .describe('Errors as a share of those that the target allows; null without requests.'),
});

export const history = z.strictObject({
  stepSeconds: z.number(),
  times: z.array(time).describe('Ends of the steps, oldest first.'),
  total: series.describe('All requests of all listeners, local replies included.'),
  upstreams: z.array(series.extend({ name: z.string() })),
  leftOut: amount.describe('Number of upstreams without a history, because there are more than 256.'),
  budget,
});
export type HistoryReply = z.output<typeof history>;

/** `?since=`: steps that ended later; `?upstream=`: these, several times; `?upstream=` with an empty name: none. */
export function sendHistory({ query }: AdminRequest, { context, history: kept }: AdminParts): AdminReply {
  const since = query.get('since');
  const sinceMs = since === null ? 0 : Date.parse(since);
  if (Number.isNaN(sinceMs)) {
    throw new AdminError(400, 'bad-value', 'since must be a time such as 2026-01-31T12:00:00.000Z');
  }
  const wanted = query.getAll('upstream');
  const names = context.snapshot().upstreams.map(({ name }) => name);
  const total = kept.total(sinceMs);
  const reply: HistoryReply = {
    stepSeconds: HISTORY_STEP_MS / 1000,
    times: total.map(({ at }) => isoOf(at)),
    total: seriesOf(total, total),
    upstreams: names
      .filter((name) => wanted.length === 0 || wanted.includes(name))
      .slice(0, names.length - (wanted.length === 0 ? kept.leftOut : 0))
      .map((name) => ({ name, ...seriesOf(kept.upstream(name, sinceMs), total) })),
    leftOut: kept.leftOut,
    budget: budgetOf(kept, context.snapshot().admin?.availabilityTarget ?? 1),
  };
  return jsonReply(reply);
}

/** In the steps of `total`, which no series exceeds. */
function seriesOf(steps: readonly HistoryStep[], total: readonly HistoryStep[]): z.output<typeof series> {
  const missing = Array.from({ length: total.length - steps.length }, () => null);
  const column = (read: (step: HistoryStep) => number | null) => [
    ...missing,
    ...steps.map((step) => rounded(read(step))),
  ];
  return {
    requestsPerSecond: column(({ requests, seconds }) => perSecond(requests, seconds)),
    errorsPerSecond: column(({ errors, seconds }) => perSecond(errors, seconds)),
    p50Ms: column(({ p50Ms }) => p50Ms),
    p99Ms: column(({ p99Ms }) => p99Ms),
    inFlight: column(({ inFlight }) => inFlight),
    queued: column(({ queued }) => queued),
    saturation: column(({ saturation }) => saturation),
  };
}

function perSecond(count: number | null, seconds: number): number | null {
  return count === null || seconds <= 0 ? null : count / seconds;
}

function budgetOf(kept: TrafficHistory, target: number): HistoryReply['budget'] {
  const steps = kept.total(0);
  const requests = steps.reduce((sum, step) => sum + (step.requests ?? 0), 0);
  const errors = steps.reduce((sum, step) => sum + (step.errors ?? 0), 0);
  const allowed = requests * (1 - target);
  // A target of 100 % allows none: the first error uses all of it.
  const usedShare = requests === 0 ? null : allowed > 0 ? rounded(errors / allowed) : errors > 0 ? 1 : 0;
  return { target, requests, errors, usedShare };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
