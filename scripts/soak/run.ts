// One soak: app server, Fairlead, traffic, samples, verdict. Thread: main.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCertificate } from '../peers/self-signed-certificate.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { freePort } from '../peers/free-port.ts';
import { isFlat, trendOf } from './flatness.ts';
import { Observer, type Sample } from './observer.ts';
import type { SoakOptions } from './options.ts';
import { Traffic } from './traffic.ts';

const MIB = 1_048_576;
const SAMPLE_MS = 1000;
/** Minimum duration for judging a trend, in seconds. A shorter soak checks only for open resources. */
const TREND_FROM_SECONDS = 60;
/** Warm-up as a share of the duration: caches and pools fill, code is optimized. */
const WARM_UP = 0.25;

/** Allowed growth of each quantity after the warm-up: above the measured noise, soon exceeded by a leak. */
const QUANTITIES = [
  { name: 'resident', unit: MIB, quantile: 0.5, allowed: 12 * MIB, share: 0.06, of: (s: Sample) => s.residentBytes },
  { name: 'descriptors', unit: 1, quantile: 0.5, allowed: 8, share: 0.05, of: (s: Sample) => s.descriptors },
] as const;
const HEAP = { name: 'heap', unit: MIB, quantile: 0.05, allowed: 3 * MIB, share: 0.08 } as const;

/** @returns faults as text; empty means success */
export async function runSoak(options: SoakOptions, say: (line: string) => void): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-soak-'));
  const origin = fork(new URL('./origin-program.ts', import.meta.url));
  try {
    const [{ port }] = (await once(origin, 'message')) as [{ port: number }];
    return await soak(options, port, folder, say);
  } finally {
    origin.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function soak(options: SoakOptions, originPort: number, folder: string, say: (line: string) => void) {
  const { cert, key } = makeCertificate(folder);
  const tlsPort = await freePort();
  const tls = `tls: { certificates: [{ cert: ${cert}, key: ${key} }] }`;
  const fairlead = await FairleadProcess.start(
    (ports) => `
workers: ${options.workers}
fastPath: ${options.isFast}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}" }, { name: tls, bind: "127.0.0.1:${tlsPort}", ${tls} }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${originPort}"]
    health: { heartbeat: false }
admin: { bind: "127.0.0.1:${ports.admin}" }
accessLog: { format: json, output: ${join(folder, 'access.log')} }
log: { level: error }
`,
  );
  const observer = new Observer(fairlead);
  const traffic = new Traffic(options, { web: Number(new URL(fairlead.url).port), tls: tlsPort });
  try {
    return await observe(options, observer, traffic, say);
  } finally {
    await fairlead.stop();
    if (fairlead.log.length > 0) say(`process log:\n${fairlead.log.slice(0, 10).join('\n')}`);
  }
}

async function observe(options: SoakOptions, observer: Observer, traffic: Traffic, say: (line: string) => void) {
  await observer.sample();
  const descriptorsBefore = observer.descriptors();
  const running = traffic.run();
  const endMs = performance.now() + options.seconds * 1000;
  while (performance.now() < endMs) {
    await pause(Math.min(SAMPLE_MS, Math.max(0, endMs - performance.now())));
    await observer.sample();
  }
  traffic.stop();
  await running;
  const requests = await observer.total('fairlead_listener_requests_total');
  const handOffs = await observer.total('fairlead_listener_hand_offs_total');
  say(`${traffic.acts} acts of ${options.clients} clients, ${requests} requests, ${handOffs} hand-offs`);
  const faults = traffic.failures.map((failure) => `a client: ${failure}`);
  if (traffic.failed > faults.length) faults.push(`${traffic.failed} acts failed`);
  if (options.seconds >= TREND_FROM_SECONDS) faults.push(...growths(observer.samples, options.workers, say));
  faults.push(...(await observer.leftovers(descriptorsBefore)).map((what) => `left open: ${what}`));
  return faults;
}

function growths(samples: readonly Sample[], workers: number, say: (line: string) => void): string[] {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  const heaps = Array.from({ length: workers }, (_, worker) => {
    const of = (sample: Sample): number => sample.heapBytes[worker]!;
    return { ...HEAP, name: `heap of worker ${worker}`, of };
  });
  return [...heaps, ...QUANTITIES].flatMap(({ name, unit, quantile, allowed, share, of }) => {
    const trend = trendOf(warm.map(of), quantile);
    const shown = (value: number): string => (value / unit).toFixed(1);
    const text = `${name}: start ${shown(trend.start)}, growth ${shown(trend.growth)}`;
    say(`${text} (${trend.windows.map(shown).join(', ')})`);
    return isFlat(trend, allowed, share) ? [] : [`grows: ${text}`];
  });
}
