// One measurement: start a proxy for a case, warm it up, load it, read its CPU time. Thread: main.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import type { BenchCase } from './cases.ts';
import type { Certificate } from '../peers/self-signed-certificate.ts';
import { cpuUsOf, residentBytesOf } from './process-stat.ts';
import type { Proxy, RunningProxy } from './proxies/proxy.ts';
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
const ANSWER_TIMEOUT_MS = 10_000;

/** Measures a proxy in a case. @throws Error with a text for the table when it does not start or answers wrongly */
export async function measure(proxy: Proxy, benchCase: BenchCase, around: Surroundings): Promise<Sample> {
  const folder = await mkdtemp(join(around.folder, `${proxy.name}-`));
  try {
    const { isTls, workers, hasAccessLog } = benchCase;
    const cores = workers > 1 ? `${around.cores.proxy},${around.cores.second}` : around.cores.proxy;
    const certificate = isTls ? around.certificate : null;
    const { originPort } = around;
    const running = await proxy.start({ originPort, folder, cores, workers, certificate, hasAccessLog });
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
  await checkAnswer(port, benchCase, around.certificate);
  if (warmupSeconds > 0) await runWrk(benchCase, { ...options, seconds: warmupSeconds });
  const beforeUs = cpuUsOf(pid);
  const result = await runWrk(benchCase, { ...options, seconds });
  const usedUs = cpuUsOf(pid) - beforeUs;
  if (result.problems.length > 0) throw new Error(result.problems.join('; '));
  const { requestsPerSecond, p50Ms, p99Ms } = result;
  const note = (await running.note?.()) ?? null;
  const residentMib = residentBytesOf(pid) / MIB;
  return { cpuUs: usedUs / result.requests, requestsPerSecond, p50Ms, p99Ms, residentMib, note };
}

/** Checks status, length and TLS version of one response: wrk accepts every status below 400, any body, any TLS. */
async function checkAnswer(port: number, benchCase: BenchCase, certificate: Certificate): Promise<void> {
  const ca = benchCase.isTls ? await readFile(certificate.cert) : undefined;
  const { status, bytes, tls } = await ask(port, benchCase, ca);
  if (status !== 200 || bytes !== benchCase.answerBytes) {
    throw new Error(`answered ${status} with ${bytes} bytes in place of 200 with ${benchCase.answerBytes}`);
  }
  if (benchCase.isTls && tls !== 'TLSv1.3') throw new Error(`speaks ${tls} in place of TLSv1.3`);
}

interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly tls: string | null;
}

/** Sends the case's request once. */
function ask(port: number, benchCase: BenchCase, ca: Buffer | undefined): Promise<Answer> {
  const headers = Object.fromEntries(benchCase.fields.map((field) => field.split(': ', 2)));
  const method = benchCase.postBytes > 0 ? 'POST' : 'GET';
  const target = { host: '127.0.0.1', port, path: benchCase.path, method, headers, agent: false as const };
  return new Promise((resolve, reject) => {
    const request = benchCase.isTls ? httpsRequest({ ...target, ca }) : httpRequest(target);
    request.setTimeout(ANSWER_TIMEOUT_MS, () => request.destroy(new Error('no answer to the first request')));
    request.once('error', reject);
    request.once('response', (response) => {
      const tls = response.socket instanceof TLSSocket ? response.socket.getProtocol() : null;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode!, bytes, tls }));
    });
    request.end(Buffer.alloc(benchCase.postBytes, 'x'));
  });
}
