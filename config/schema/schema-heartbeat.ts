// Schema of an upstream's heartbeat, the active check of its endpoints: its schedule, and the options of all checkers.
// Thread: main.

import { z } from 'zod';
import type { OptionShape } from '../../core/option-schema.ts';
import { allCheckers } from '../../health/checkers/checkers.ts';
import { count, duration, optionSchemas } from './schema-values.ts';

/** Options of the checkers that are registered now; of two with the same name the first holds. */
export function checkerShapes(): ReadonlyMap<string, OptionShape> {
  return new Map(allCheckers().map(({ name, options }) => [name, options(optionSchemas)]));
}

/** Builds the schema for the checkers that are registered now. */
export function heartbeatSchema() {
  const options: Record<string, z.ZodType> = {};
  for (const shape of checkerShapes().values()) {
    for (const [name, schema] of Object.entries(shape)) options[name] ??= schema;
  }
  const names = allCheckers().map(({ name }) => name);
  return z
    .strictObject({
      type: z
        .enum(names)
        .default(names[0]!)
        .describe(
          '`http` sends a request and looks at the answer; `grpc` calls `grpc.health.v1.Health/Check` over HTTP/2; `tcp` only connects.',
        ),
      ...options,
      port: count(1, 65_535).describe("Port to ask; the endpoint's own if absent.").optional(),
      interval: duration()
        .prefault('2s')
        .describe('From one heartbeat to the next while the endpoint is up (10 % jitter).'),
      fastInterval: duration()
        .prefault('500ms')
        .describe('The same while the state is not settled: at start, after a failure, on the way back.'),
      downInterval: duration()
        .prefault('5s')
        .describe(
          'The same once an endpoint has been down for two minutes. Before that the interval is `interval`, or `fastInterval` while the upstream lacks capacity.',
        ),
      timeout: duration().prefault('1s').describe('How long a heartbeat may take; at most the interval.'),
      rise: count(1, 100).default(2).describe('Good heartbeats in a row that bring an endpoint up.'),
      fall: count(1, 100).default(3).describe('Failed heartbeats in a row that take an endpoint down.'),
    })
    .meta({ expects: 'a mapping such as { path: /healthz }', example: '{ path: /healthz }' });
}

export type HeartbeatConfig = z.output<ReturnType<typeof heartbeatSchema>>;
