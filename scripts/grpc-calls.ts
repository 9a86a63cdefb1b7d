// Mixed gRPC calls while endpoints are killed: `node scripts/grpc-calls.ts [CALLS]`, 10,000 by default. Exit code 1 where a
// unary call that may be repeated has failed, or any response was wrong. Thread: main.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../config/load.ts';
import { ControlPlane } from '../control/control-plane.ts';
import { openFunctionLog } from '../logging/process-log.ts';
import { GrpcEcho } from '../test/support/grpc-echo.ts';
import { runGrpcCalls } from './grpc-calls/run.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run grpc-calls -- [CALLS]
Sends mixed gRPC calls (10000) while endpoints are killed. Ends with 1 where one that may be repeated fails, or a response is wrong.`;
const { positionals } = readArguments(USAGE, {}, 1);

const [calls = 10_000] = positionals.map(Number);
const endpoints = await Promise.all([GrpcEcho.listen(), GrpcEcho.listen(), GrpcEcho.listen()]);
const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-grpc-'));
const file = path.join(folder, 'fairlead.yaml');
writeFileSync(
  file,
  `listeners: [{ name: web, bind: 127.0.0.1:0, http2: true }]
routes: [{ upstream: echo }]
upstreams:
  echo:
    endpoints: [${endpoints.map(({ port }) => `http://127.0.0.1:${port}`).join(', ')}]
    protocol: http2
    health: { heartbeat: { type: grpc, interval: 500ms } }
`,
);
const log = openFunctionLog(() => undefined);
const plane = new ControlPlane({ load: () => loadConfig(file, {}), environment: {}, version: '0.0.0', log });
await plane.start();
const { port } = plane.bound[0]!;
const tally = await runGrpcCalls({ port, endpoints, calls, concurrency: 32, killEveryMs: 1000 });
for (const [outcome, count] of tally.outcomes) console.log(`${outcome}: ${count}`);
console.log(`${tally.kills} kills, ${tally.wrong} wrong responses`);
for (const details of tally.failures) console.log(`a unary call failed: ${details}`);
const failed = [...tally.outcomes].some(([outcome]) => outcome.startsWith('unary') && outcome !== 'unary 0');
process.exitCode = failed || tally.wrong > 0 ? 1 : 0;
await plane.close();
for (const endpoint of endpoints) endpoint.close();
rmSync(folder, { recursive: true });
