// Load generator for TLS handshakes: a new connection for each request, with a full handshake or with a resumption. wrk mixes
// both, because it uses a ticket once and Node issues none with a resumption. Run as a program with its options in JSON, it
// prints its result; its own cost counts for the load's core. Thread: main.

import { execFile } from 'node:child_process';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { endWithUs } from '../peers/program.ts';
import type { BenchCase } from './cases.ts';
import type { WrkOptions, WrkResult } from './wrk.ts';

const ANSWER_TIMEOUT_MS = 10_000;
/** One group for all proxies: HAProxy of Debian 12 doesn't have X25519MLKEM768, which costs both sides more. */
const GROUP = 'X25519';
const OK = /^HTTP\/1\.1 200 /;

interface HandshakeLoad {
  readonly port: number;
  readonly path: string;
  readonly seconds: number;
  readonly connections: number;
  readonly isResumed: boolean;
}

/** Runs the load of a case in a process of its own. */
export async function runHandshakes(benchCase: BenchCase, options: WrkOptions): Promise<WrkResult> {
  const { port, seconds, connections, cores } = options;
  const isResumed = benchCase.handshakes === 'resumed';
  const load: HandshakeLoad = { port, seconds, connections, path: benchCase.path, isResumed };
  const args = ['-c', cores, process.execPath, import.meta.filename, JSON.stringify(load)];
  const running = promisify(execFile)('taskset', args, { encoding: 'utf8' });
  endWithUs(running.child);
  return JSON.parse((await running).stdout) as WrkResult;
}

/** One connection with one request. @returns ms until its response has ended @throws Error for anything else */
function request(
  load: HandshakeLoad,
  session: Buffer | undefined,
  onSession: (session: Buffer) => void,
): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: load.port, servername: 'localhost', ALPNProtocols: ['http/1.1'] };
    const socket: TLSSocket = connect({ ...target, session, ecdhCurve: GROUP, rejectUnauthorized: false }, () => {
      if (session !== undefined && !socket.isSessionReused()) reject(new Error('a session was not resumed'));
      socket.write(`GET ${load.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    });
    let head = '';
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.on('session', onSession).on('error', reject);
    socket.on('data', (chunk: Buffer) => (head ||= chunk.toString('latin1', 0, 15)));
    socket.once('end', () => {
      socket.end();
      if (OK.test(head)) resolve(performance.now() - startedMs);
      else reject(new Error(`answered ${JSON.stringify(head)}`));
    });
  });
}

/** The first session of a full handshake: it is resumed by all connections, as curl and HTTP libraries do. */
async function sessionOf(load: HandshakeLoad): Promise<Buffer> {
  let first: Buffer | undefined;
  await request(load, undefined, (session) => (first ??= session));
  if (first === undefined) throw new Error('the proxy issues no ticket');
  return first;
}

async function generate(load: HandshakeLoad): Promise<WrkResult> {
  const durations: number[] = [];
  const problems = new Set<string>();
  const session = load.isResumed ? await sessionOf(load) : undefined;
  const startedMs = performance.now();
  const isOver = (): boolean => performance.now() - startedMs >= load.seconds * 1000;
  const connectInTurn = async (): Promise<void> => {
    while (!isOver() && problems.size === 0) {
      await request(load, session, () => undefined).then(
        (ms) => durations.push(ms),
        (error: Error) => problems.add(error.message),
      );
    }
  };
  await Promise.all(Array.from({ length: load.connections }, connectInTurn));
  const seconds = (performance.now() - startedMs) / 1000;
  const sorted = durations.toSorted((a, b) => a - b);
  const percentile = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return {
    requests: sorted.length,
    requestsPerSecond: sorted.length / seconds,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    problems: [...problems],
  };
}

if (import.meta.main) {
  const load = JSON.parse(process.argv[2]!) as HandshakeLoad;
  console.log(
    JSON.stringify(await generate(load).catch((error: Error) => ({ requests: 0, problems: [error.message] }))),
  );
}
