// The server span of a trace began late by the time between the end of the request and its record, after its own attempt; and
// a step of the wall clock during the request tore its spans apart. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AttemptEvents, AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import { WorkerTracer } from '../../proxy/account/traces/worker-tracer.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { requestHead } from '../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../support/snapshots.ts';
import { phasesOf, recordOf } from '../unit/logging/access/sample-record.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

interface Times {
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** Begin and end of the server span and of the attempt, in ms after the request began. */
function timesOf({ recordDelayMs, wallStepMs }: { recordDelayMs: number; wallStepMs: number }): number[] {
  const clock = new FakeClock(1000);
  const texts: string[] = [];
  const tracer = new WorkerTracer(clock, ({ bytes }) => void texts.push(Buffer.from(bytes).toString()));
  const exchange = {};
  const beganWallMs = clock.wallMs();
  tracer.begin(exchange, TRACE, '', '');
  clock.advance(2);
  let events!: AttemptEvents;
  const inner = { send: (_: AttemptRequest, taken: AttemptEvents) => void (events = taken) } as unknown as Transport;
  const tunnels = { open: () => assert.fail('no tunnel is expected'), closeAll: () => undefined };
  const { transport } = tracer.watch({ transport: inner, tunnels });
  const head = requestHead({ target: '/' });
  const upstream = upstreamSnapshot();
  const request = { head, endpoint: endpointSnapshot(0), upstream, insertedFields: [], origin: exchange };
  transport.send(request as unknown as AttemptRequest, { onEnd: () => undefined } as unknown as AttemptEvents);
  clock.advance(5);
  events.onEnd(null);
  clock.advance(1 + recordDelayMs);
  clock.stepWall(wallStepMs);
  tracer.ended(exchange, recordOf({ beganWallMs, phases: phasesOf({ totalMs: 8 }) }));
  tracer.report();
  const spans = (JSON.parse(`[${texts.join(',')}]`) as Times[]).filter(({ kind }) => kind !== 1);
  return spans
    .flatMap(({ startTimeUnixNano, endTimeUnixNano }) => [startTimeUnixNano, endTimeUnixNano])
    .map((time) => Number(BigInt(time) / 1_000_000n) - beganWallMs);
}

describe('the server span encloses its attempt', () => {
  for (const recordDelayMs of [0, 4, 5000]) {
    for (const wallStepMs of [0, 3_600_000, -3_600_000]) {
      test(`with a record ${recordDelayMs} ms late and a step of the wall clock by ${wallStepMs} ms`, () => {
        assert.deepEqual(timesOf({ recordDelayMs, wallStepMs }), [0, 8, 2, 7]);
      });
    }
  }
});
