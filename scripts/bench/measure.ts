// One measurement: start a proxy for a case, warm it up, load it, read its CPU time. Thread: main.

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from './cases.ts';
import type { Certificate } from '../peers/self-signed-certificate.ts';
import { cpuUsOf, residentBytesOf } from './process-stat.ts';
import type { Proxy, RunningProxy } from './proxies/proxy.ts';
import { checkAnswer } from './first-answer.ts';
import { runHandshakes } from './handshakes.ts';
import { runH2load } from './h2load.ts';
import { runWrk } from './wrk.ts';

/** Settings shared by all measurements of a run. */
export interface Surroundings {
  /** In memory where there is such a file system. */
  readonly folder: string;
  readonly originPort: number;
  readonly certificate: Certificate;
  readonly cores: Cores;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: number;
}

export interface Cores {
  readonly proxy: string;
  /** For wrk and the origin. */
  readonly load: string;
  /** Added for a second worker; may be the load's core. */
  readonly second: string;
}

/** Result of one measurement. */
export interface Sample {
  /** CPU time of the proxy per request in microseconds: user and system, all its processes and threads. */
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Resident memory at the end of the load. */
  readonly residentMib: number;
  readonly note: string | null;
}

const MIB = 2 ** 20;

/** Measures a proxy in a case. @throws Error with a text for the table when it does not start or answers wrongly */
export async function measure(proxy: Proxy, benchCase: BenchCase, around: Surroundings): Promise<Sample> {
  const folder = await mkdtemp(join(around.folder, `${proxy.name}-`));
  try {
    const { isTls, http2, workers, hasAccessLog, gzipLevel } = benchCase;
    const isHttp2 = http2 !== null;
    const cores = workers > 1 ? `${around.cores.proxy},${around.cores.second}` : around.cores.proxy;
    const certificate = isTls ? around.certificate : null;
    const { originPort } = around;
    const place = { originPort, folder, cores, workers };
    const running = await proxy.start({ ...place, certificate, isHttp2, hasAccessLog, gzipLevel });
    try {
      return await load(running, benchCase, { ...around, folder });
    } finally {
      await running.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load(running: RunningProxy, benchCase: BenchCase, around: Surroundings): Promise<Sample> {
  const { port, pid } = running;
  const { folder, connections, seconds, warmupSeconds } = around;
  const options = { folder, connections, port, cores: around.cores.load };
  const runLoad = benchCase.handshakes !== null ? runHandshakes : benchCase.http2 === null ? runWrk : runH2load;
  await checkAnswer(port, benchCase, around.certificate);
  if (warmupSeconds > 0) await runLoad(benchCase, { ...options, seconds: warmupSeconds });
  const beforeUs = cpuUsOf(pid);
  const result = await runLoad(benchCase, { ...options, seconds });
  const usedUs = cpuUsOf(pid) - beforeUs;
  if (result.problems.length > 0) throw new Error(result.problems.join('; '));
  const { requestsPerSecond, p50Ms, p99Ms } = result;
  const note = (await running.note?.()) ?? null;
  const residentMib = residentBytesOf(pid) / MIB;
  return { cpuUs: usedUs / result.requests, requestsPerSecond, p50Ms, p99Ms, residentMib, note };
}
