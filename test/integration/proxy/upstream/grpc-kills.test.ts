// Mixed gRPC calls while endpoints are killed: the short form of `node scripts/grpc-calls.ts`. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGrpcCalls } from '../../../../scripts/grpc-calls/run.ts';
import { startFairlead } from '../../../support/fairlead.ts';
import { GrpcEcho } from '../../../support/grpc-echo.ts';

test('unary calls that may be repeated survive kills of their endpoints; the others get a status', async (t) => {
  const endpoints = await Promise.all([GrpcEcho.listen(), GrpcEcho.listen(), GrpcEcho.listen()]);
  t.after(() => {
    for (const endpoint of endpoints) endpoint.close();
  });
  const { port } = await startFairlead(
    t,
    `listeners: [{ name: web, bind: 127.0.0.1:0, http2: true }]
routes: [{ upstream: echo }]
upstreams:
  echo:
    endpoints: [${endpoints.map((endpoint) => `http://127.0.0.1:${endpoint.port}`).join(', ')}]
    protocol: http2
    health: { heartbeat: { type: grpc, interval: 500ms } }
`,
  );
  const tally = await runGrpcCalls({ port, endpoints, calls: 600, concurrency: 16, killEveryMs: 400 });
  assert.ok(tally.kills > 0);
  assert.equal(tally.wrong, 0);
  assert.deepEqual(tally.failures, []);
  // A stream that has begun ends as unavailable (14); calls that were cut before their response are repeated.
  const statuses = new Set([...tally.outcomes.keys()].map((key) => Number(key.split(' ')[1])));
  assert.ok(
    [...statuses].every((status) => status === 0 || status === 14),
    [...statuses].join(' '),
  );
});
