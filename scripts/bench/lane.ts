// Cost of counting: ns for a lane's histogram, an attempt and an accounted exchange.
// Usage: node scripts/bench/lane.ts. Thread: main.

import { bench, run } from 'mitata';
import { Region } from '../../core/memory/region.ts';
import { accountExchange, countAttempt, countHead, countLease, countOutcome } from '../../proxy/account/account.ts';
import { WorkerLanes } from '../../proxy/account/lane.ts';
import { phasesOf, recordOf } from '../../test/unit/logging/access/sample-record.ts';

const VARIANTS = 64;

const region = Region.allocate({ endpoints: 64, upstreams: 4, workers: 2, listeners: 2 }, Date.now());
const lanes = new WorkerLanes(region, 0);
const records = Array.from({ length: VARIANTS }, (_, i) =>
  recordOf({ phases: phasesOf({ totalMs: 0.3 * 1.15 ** i }) }),
);
let turn = 0;

bench('latency into a histogram', () => {
  lanes.endpoint(turn & 63).observeLatency(0.3 * (turn++ & 1023));
});
bench('an attempt: begun, lease, head, outcome', () => {
  const lane = lanes.endpoint(turn & 63);
  countAttempt(lane, false);
  countLease(lane, true);
  countHead(lane, 200, 0.3 * (turn++ & 1023));
  countOutcome(lane, 'ok');
});
bench('an accounted exchange', () => {
  accountExchange(records[turn++ & (VARIANTS - 1)]!, lanes);
});

await run();
