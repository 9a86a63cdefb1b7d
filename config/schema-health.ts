// Schema of an upstream's `health` and `retry`. Thread: main.

import { z } from 'zod';
import { parseStatusRanges } from './status-ranges.ts';
import { count, duration, factor, host, parsedText, size } from './schema-values.ts';
import { quoted } from './parsed.ts';

const statuses = parsedText(parseStatusRanges, { expects: 'statuses such as 200-399', example: '200-399' });
const expected = z
  .union([statuses, count(100, 599).transform((status) => [status, status])])
  .meta({ expects: 'a status or a range of statuses such as 200-399', example: '200-399' });

const requestPath = parsedText(
  (text) => {
    if (/^\/[\x21-\x7e]*$/.test(text) && !text.includes('#')) return { ok: true, value: text };
    return { ok: false, message: `${quoted(text)} is not a path: begin with / and percent-encode what is not ASCII` };
  },
  { expects: 'a path', example: '/healthz' },
);

const heartbeat = z
  .strictObject({
    type: z
      .enum(['http', 'tcp'])
      .default('http')
      .describe('`http` sends a request and looks at the status; `tcp` only connects.'),
    path: requestPath.prefault('/').describe('Path and query of the request.'),
    method: z.enum(['GET', 'HEAD', 'OPTIONS']).default('GET').describe('Method of the request.'),
    host: host().describe("Host field of the request; the endpoint's own if absent.").optional(),
    expect: z
      .union([expected, z.array(expected).min(1)])
      .transform((given) => given.flat())
      .meta({ expects: 'a status, a range such as 200-399, or a list of them', example: '200-399' })
      .prefault('200-399')
      .describe('Statuses that are good.'),
    port: count(1, 65_535).describe("Port to ask; the endpoint's own if absent.").optional(),
    interval: duration()
      .prefault('2s')
      .describe('From one heartbeat to the next while the endpoint is up (10 % jitter).'),
    fastInterval: duration()
      .prefault('500ms')
      .describe('The same while the state is not settled: at start, after a failure, on the way back.'),
    downInterval: duration().prefault('5s').describe('The same while the endpoint is down.'),
    timeout: duration().prefault('1s').describe('How long a heartbeat may take; at most the interval.'),
    rise: count(1, 100).default(2).describe('Good heartbeats in a row that bring an endpoint up.'),
    fall: count(1, 100).default(3).describe('Failed heartbeats in a row that take an endpoint down.'),
  })
  .meta({ expects: 'a mapping such as { path: /healthz }', example: '{ path: /healthz }' });

const passive = z
  .strictObject({
    consecutiveFailures: count(0, 10_000)
      .default(5)
      .describe('Failures in a row, over all workers, that eject an endpoint; 0 turns ejection off.'),
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

export const health = z
  .strictObject({
    heartbeat: z
      .union([z.literal(false), heartbeat])
      .meta({ expects: 'a mapping such as { path: /healthz }, or false', example: '{ path: /healthz }' })
      .describe('Active checks. Without them (or with `false`) only live requests tell whether an endpoint is well.')
      .optional(),
    passive,
  })
  .prefault({})
  .describe('How endpoints are found to be well or not.');

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
        'How long one try may take to the head of the response, where another may follow; half the response timeout if absent.',
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

export type HeartbeatConfig = z.output<typeof heartbeat>;
export type HealthConfig = z.output<typeof health>;
export type RetryConfig = z.output<typeof retry>;
