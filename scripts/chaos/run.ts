// One run: start endpoints and a proxy, apply the planned load and faults, collect the observations. Thread: main.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrivalsOf, SHORT_WORK } from './arrivals.ts';
import { runLoad } from './client.ts';
import { EndpointProcess } from './endpoint-process.ts';
import { injectFaults, livesOf } from './fault-injector.ts';
import type { Observations } from './figures.ts';
import { readLedgers } from './ledger.ts';
import type { Plan } from './plan.ts';
import type { Profile, Proxy, RunningProxy } from './proxies/proxy.ts';

export interface RunSettings {
  readonly proxy: Proxy;
  readonly plan: Plan;
  readonly profile: Profile;
  readonly workers: number;
  /** Cores of the proxy, for taskset. */
  readonly cores: string;
  /** May be short when no latencies are judged. */
  readonly warmUpMs?: number;
}

/**
 * Lets all processes compile their code and open connections, at twice the usual rate to shorten it. Its requests are
 * not counted.
 */
const WARM_UP = { seed: -1, rate: 800, postShare: 0.2, workMs: SHORT_WORK };
const WARM_UP_MS = 4000;

/**
 * Runs the plan against one proxy.
 * @param look called after the load, while the proxy still runs
 */
export async function run<Seen>(
  settings: RunSettings,
  look: (seen: Observations, proxy: RunningProxy) => Promise<Seen>,
): Promise<Seen> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-chaos-'));
  const ledgers = settings.plan.endpoints.map(({ name }) => join(folder, `${name}.ledger`));
  const endpoints = await startEndpoints(settings.plan, ledgers);
  try {
    const endpointPorts = endpoints.map(({ port }) => port);
    const proxy = await settings.proxy.start({ ...settings, folder, endpointPorts });
    try {
      return await look(await carryOut(settings, endpoints, proxy, ledgers), proxy);
    } finally {
      await proxy.stop();
    }
  } finally {
    await Promise.all(endpoints.map((endpoint) => endpoint.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

function startEndpoints(plan: Plan, ledgers: readonly string[]): Promise<readonly EndpointProcess[]> {
  const starts = plan.endpoints.map((spec, index) =>
    EndpointProcess.start(spec, ledgers[index]!, livesOf(plan.faults, index)),
  );
  return Promise.all(starts);
}

async function carryOut(
  { plan: { arrivals, faults, patienceMs }, warmUpMs = WARM_UP_MS }: RunSettings,
  endpoints: readonly EndpointProcess[],
  { port }: RunningProxy,
  ledgers: readonly string[],
): Promise<Observations> {
  const warmUp = arrivalsOf({ ...WARM_UP, durationMs: warmUpMs });
  await runLoad({ port, arrivals: warmUp, patienceMs, startMs: performance.now() });
  const startMs = performance.now();
  const [outcomes] = await Promise.all([
    runLoad({ port, arrivals, patienceMs, startMs }),
    injectFaults(faults, endpoints, startMs),
  ]);
  const ids = new Set(arrivals.map(({ id }) => id));
  const ledger = (await readLedgers(ledgers)).filter(({ id }) => ids.has(id));
  return { outcomes, ledger, faults, endpoints: endpoints.length };
}
