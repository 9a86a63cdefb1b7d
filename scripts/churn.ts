// Many endpoints that change all the time (`npm run churn`): CPU time of the main thread, latency of requests meanwhile, and
// memory. Options: --upstreams, --endpoints (of each), --changes (a second), --seconds. Exit code 1 when a request failed.
// Thread: main.

import { parseArgs } from 'node:util';
import { measureChurn } from './churn/run.ts';

const { values } = parseArgs({
  options: {
    upstreams: { type: 'string', default: '500' },
    endpoints: { type: 'string', default: '20' },
    changes: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
  },
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
  console.log(`${name}: ${cpu}; ${times} (${phase.directP99Ms.toFixed(2)} ms without Fairlead)`);
}
console.log(`failed requests: ${failures}; RSS in MiB: ${rssMib.join(' ')}`);
process.exit(failures > 0 ? 1 : 0);
