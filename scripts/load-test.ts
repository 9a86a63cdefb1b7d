// Load test: app servers behind Fairlead, load from autocannon, one server killed in the middle and restarted. Prints the
// result and fails when a request failed. `npm run load -- --help` prints the options. Thread: main.

import autocannon from 'autocannon';
import { FairleadProcess } from './peers/fairlead-process.ts';
import { type Origin, startOrigins } from './load/origins.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run load -- [--seconds 30] [--connections 50] [--endpoints 3] [--workers 2] [--balance least-request] [--no-kill]
Starts app servers, Fairlead and autocannon; kills one app server after a third of the time and starts it again after
two thirds. Exits with 1 when a request failed.`;

const { values } = readArguments(USAGE, {
  seconds: { type: 'string', default: '30' },
  connections: { type: 'string', default: '50' },
  endpoints: { type: 'string', default: '3' },
  workers: { type: 'string', default: '2' },
  balance: { type: 'string', default: 'least-request' },
  'no-kill': { type: 'boolean', default: false },
});

function configuration(origins: readonly Origin[], ports: { web: number; admin: number }): string {
  return `
workers: ${values.workers}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}" }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: ${values.balance}
    endpoints: [${origins.map((origin) => `"http://127.0.0.1:${origin.port}"`).join(', ')}]
    health: { heartbeat: { path: /, interval: 1s, timeout: 500ms } }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: info }
`;
}

/** Kills one origin after a third of the run and restarts it after two thirds. */
function scheduleFault(victim: Origin, seconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(
      () => {
        console.log(`killing ${victim.name} (SIGKILL)`);
        victim.kill().catch(reject);
      },
      (seconds * 1000) / 3,
    );
    setTimeout(
      () => {
        console.log(`starting ${victim.name} again`);
        victim.start().then(resolve, reject);
      },
      (seconds * 2000) / 3,
    );
  });
}

async function main(): Promise<number> {
  const seconds = Number(values.seconds);
  const origins = await startOrigins(Number(values.endpoints));
  const fairlead = await FairleadProcess.start((ports) => configuration(origins, ports));
  console.log(`${origins.length} app servers behind ${fairlead.url}, ${values.balance}, ${seconds} s of load`);
  const fault = values['no-kill'] ? Promise.resolve() : scheduleFault(origins[0]!, seconds);
  const result = await autocannon({ url: fairlead.url, connections: Number(values.connections), duration: seconds });
  await fault;
  const failed = await report(result, origins);
  for (const origin of origins) await origin.kill();
  const code = await fairlead.stop();
  if (code !== 0) console.log(`Fairlead ended with ${code}`);
  if (failed > 0 || code !== 0) console.log(fairlead.log.slice(-30).join('\n'));
  return failed > 0 || code !== 0 ? 1 : 0;
}

/** Prints the table. Returns the number of failed requests. */
async function report(result: autocannon.Result, origins: readonly Origin[]): Promise<number> {
  const { latency } = result;
  const failed = result.errors + result.timeouts + result.non2xx;
  console.log(`requests  ${result.requests.total} (${Math.round(result.requests.average)}/s)`);
  console.log(`failed    ${failed} (errors ${result.errors}, time-outs ${result.timeouts}, not 2xx ${result.non2xx})`);
  console.log(`latency   p50 ${latency.p50} ms, p90 ${latency.p90} ms, p99 ${latency.p99} ms, max ${latency.max} ms`);
  const counts = await Promise.all(origins.map((origin) => origin.served()));
  const total = counts.reduce((sum, count) => sum + count, 0);
  origins.forEach((origin, index) => {
    console.log(
      `${origin.name}  ${counts[index]} requests, ${((100 * counts[index]!) / Math.max(1, total)).toFixed(1)} %`,
    );
  });
  return failed;
}

process.exitCode = await main();
