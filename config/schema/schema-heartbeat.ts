// Schema of an upstream's heartbeat: the schedule, and the options of all checkers. Thread: main.

import { z } from 'zod';
import type { OptionShape } from '../../core/option-schema.ts';
import type { CheckerDescriptor } from '../../health/checkers/checker.ts';
import { allCheckers } from '../../health/checkers/checkers.ts';
import { count, duration, optionSchemas } from './schema-values.ts';

/** Each upstream is validated against the shapes, and making one takes as long as parsing the upstream. */
const shapes = new WeakMap<CheckerDescriptor, OptionShape>();

/** Options of the registered checkers, by name of the checker. */
export function checkerShapes(): ReadonlyMap<string, OptionShape> {
  return new Map(allCheckers().map((checker) => [checker.name, shapeOf(checker)]));
}

function shapeOf(checker: CheckerDescriptor): OptionShape {
  const known = shapes.get(checker);
  if (known !== undefined) return known;
  const shape = checker.options(optionSchemas);
  shapes.set(checker, shape);
  return shape;
}

/** Builds the schema for the registered checkers; if two have an option of the same name, the first takes precedence. */
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
          '`http` sends a request and checks the response; `grpc` calls `grpc.health.v1.Health/Check` over HTTP/2; `tcp` only connects; `postgres`, `mysql`, `redis` and `cassandra` speak the protocols of these databases; `script` sends texts and compares the answers.',
        ),
      ...options,
      port: count(1, 65_535).describe("Port of the heartbeat; the endpoint's own if absent.").optional(),
      interval: duration().prefault('2s').describe('Interval of heartbeats while the endpoint is up (10 % jitter).'),
      fastInterval: duration()
        .prefault('500ms')
        .describe('Interval while the state may change: at start, after a first failure, and during recovery.'),
      downInterval: duration()
        .prefault('5s')
        .describe(
          'Interval once an endpoint has been down for two minutes. Before that it is `interval`, or `fastInterval` while the upstream lacks capacity.',
        ),
      timeout: duration().prefault('1s').describe('Time for one heartbeat; at most the interval.'),
      rise: count(1, 100).default(2).describe('Consecutive successes that mark an endpoint up.'),
      fall: count(1, 100).default(3).describe('Consecutive failures that mark an endpoint down.'),
    })
    .meta({ expects: 'a mapping such as { path: /healthz }', example: '{ path: /healthz }' });
}

export type HeartbeatConfig = z.output<ReturnType<typeof heartbeatSchema>>;
