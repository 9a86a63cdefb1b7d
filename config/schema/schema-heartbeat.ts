// Schema of an upstream's heartbeat: the active check of its endpoints. Thread: main.

import { z } from 'zod';
import { parseBodyPattern } from '../values/body-pattern.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { count, duration, fieldValue, host, parsedText, token } from './schema-values.ts';

/** Reads statuses and ranges, separated by commas. The value is [from, to, from, to, ...], both ends inclusive. */
export function parseStatusRanges(text: string): Parsed<number[]> {
  const ranges: number[] = [];
  for (const part of text.split(',')) {
    const match = /^ *([1-5]\d\d)(?: *- *([1-5]\d\d))? *$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to < from) {
      const message = `${quoted(part.trim())} is not a status or a range of statuses from 100 to 599, such as 200 or 200-399`;
      return { ok: false, message };
    }
    ranges.push(from, to);
  }
  return { ok: true, value: ranges };
}

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

const serviceName = parsedText(
  (text) => {
    if (/^[\w.-]{1,255}$/.test(text)) return { ok: true, value: text };
    return { ok: false, message: `${quoted(text)} is not the name of a gRPC service, such as shop.v1.Orders` };
  },
  { expects: 'the name of a gRPC service', example: 'shop.v1.Orders' },
);

export const heartbeat = z
  .strictObject({
    type: z
      .enum(['http', 'tcp', 'grpc'])
      .default('http')
      .describe(
        '`http` sends a request and looks at the answer; `grpc` calls `grpc.health.v1.Health/Check` over HTTP/2; `tcp` only connects.',
      ),
    service: serviceName
      .describe('With `grpc`: the service that is asked about; the endpoint as a whole if absent.')
      .optional(),
    path: requestPath.prefault('/').describe('Path and query of the request.'),
    method: z.enum(['GET', 'HEAD', 'OPTIONS']).default('GET').describe('Method of the request.'),
    host: host()
      .describe("Host field of the request (`:authority` with `grpc`); the endpoint's own if absent.")
      .optional(),
    expect: z
      .union([expected, z.array(expected).min(1)])
      .transform((given) => given.flat())
      .meta({ expects: 'a status, a range such as 200-399, or a list of them', example: '200-399' })
      .prefault('200-399')
      .describe('Statuses that are good.'),
    body: parsedText(parseBodyPattern, { expects: 'a regular expression', example: '"status":"ok"' })
      .describe('Regular expression that the first 16 KiB of the body must match; any body is good if absent.')
      .optional(),
    headers: z
      .record(token('the name of a header field', 'x-ready'), fieldValue().describe('Value of the field, exactly.'))
      .meta({ expects: 'a mapping of names to values', example: '{ x-ready: "yes" }' })
      .prefault({})
      .describe('Fields that the answer must carry, with just these values.'),
    agent: z
      .boolean()
      .default(false)
      .describe(
        'Whether the answer may set the weight of its endpoint or ask to be drained, by the field `X-Fairlead-Agent`.',
      ),
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

export type HeartbeatConfig = z.output<typeof heartbeat>;
