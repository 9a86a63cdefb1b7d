// Log lines about invalid responses: one per endpoint and interval. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultLog } from '../../../../proxy/upstream/fault-log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';
import { endpointSnapshot } from '../../../support/snapshots.ts';

test('the first fault is logged at once, those within 10 s are counted, endpoints are separate', () => {
  const lines: LogLine[] = [];
  const clock = new FakeClock();
  const { report } = new FaultLog(recordingLog(lines), clock);
  const [first, second] = [endpointSnapshot(0), endpointSnapshot(1)];
  report(first, 'malformed-response', 'bad-value in field X-A');
  report(first, 'malformed-response', 'bad-value in field X-B');
  report(second, 'head-too-large', 'head-too-large');
  clock.advance(9_999);
  report(first, 'malformed-response', 'bare-lf');
  clock.advance(1);
  report(first, 'malformed-response', 'bare-cr');
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      `endpoint ${first.name} sent an invalid response: bad-value in field X-A`,
      `endpoint ${second.name} sent an invalid response: head-too-large`,
      `endpoint ${first.name} sent an invalid response: bare-cr (2 more invalid responses since the last line)`,
    ],
  );
  assert.deepEqual(lines[0]!.fields, {
    endpoint: first.name,
    failure: 'malformed-response',
    reason: 'bad-value in field X-A',
  });
});
