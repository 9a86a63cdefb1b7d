// Many endpoints that change all the time (`npm run churn`): CPU time of the main thread, latency of requests meanwhile, and
// memory. `npm run churn -- --help`. Thread: main.

import { measureChurn } from './churn/run.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run churn -- [--upstreams 500] [--endpoints 20] [--changes 100] [--seconds 30]
Changes endpoints of many upstreams that read lists from files, and measures CPU time of the main thread, latencies as the
client and as the workers see them, and memory. Ends with 1 where a request failed.

  --endpoints N   of each upstream
  --changes N     endpoints that are replaced in a second`;

const { values } = readArguments(USAGE, {
  upstreams: { type: 'string', default: '500' },
  endpoints: { type: 'string', default: '20' },
  changes: { type: 'string', default: '100' },
  seconds: { type: 'string', default: '30' },
});
const result = await measureChurn({
  upstreams: Number(values.upstreams),
  endpoints: Number(values.endpoints),
  perSecond: Number(values.changes),
  seconds: Number(values.seconds),
});
const { quiet, busy, changes, batches, failures, rssMib } = result;
console.log(`${changes} changes in ${batches} batches`);
for (const [name, phase] of [['at rest', quiet] as const, ['changing', busy] as const]) {
  const cpu = `main ${(100 * phase.mainCpu).toFixed(1)} % of a core, all threads ${(100 * phase.allCpu).toFixed(1)} %`;
  const times = `request p50 ${phase.p50Ms.toFixed(2)} ms, p99 ${phase.p99Ms.toFixed(2)} ms`;
  const others = `${phase.workerP99Ms.toFixed(2)} ms in the workers, ${phase.directP99Ms.toFixed(2)} ms without Fairlead`;
  console.log(`${name}: ${cpu}; ${times} (${others})`);
}
console.log(`failed requests: ${failures}; RSS in MiB: ${rssMib.join(' ')}`);
process.exit(failures > 0 ? 1 : 0);
