// A run of TCP sessions: many open at once that end in every way, then bytes in bulk; afterwards nothing may remain.
// Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuUsOf } from '../bench/process-stat.ts';
import { FairleadProcess } from '../peers/fairlead-process.ts';
import { haproxy } from '../peers/haproxy.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { endWithUs } from '../peers/program.ts';
import { Observer } from '../soak/observer.ts';
import { transfer } from './bulk-transfer.ts';
import { ClientSession, ENDINGS } from './client-session.ts';

export interface EnduranceOptions {
  readonly connections: number;
  readonly mib: number;
  /** Whether HAProxy relays the same bytes. */
  readonly withHaproxy: boolean;
}

export interface EnduranceResult {
  readonly faults: readonly string[];
  /** Lines for people. */
  readonly figures: readonly string[];
}

const MIB = 1024 * 1024;
/** Opened at a time, so that no accept queue overflows. */
const AT_A_TIME = 100;
/** Of a process beside its connections. */
const OTHER_DESCRIPTORS = 200;
/** Sessions that are still open when the listing begins get this long. */
const SETTLE_MS = 500;
/** Memory of a process that has served so many sessions may be higher by this, once they are gone: free pages of the heap. */
const GROWTH_MIB = 96;
/** Bulk bytes are relayed by several sessions. */
const STREAMS = 4;

/** Connections that the descriptors of a process allow: a proxy has two for each. */
export function mostConnections(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '1024';
  return Math.floor((Number(limit) - OTHER_DESCRIPTORS) / 2);
}

export async function measureEndurance(options: EnduranceOptions): Promise<EnduranceResult> {
  const endpoint = fork(new URL('./endpoint-program.ts', import.meta.url), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  endWithUs(endpoint);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tcp-'));
  let fairlead: FairleadProcess | null = null;
  try {
    const port = await portOf(endpoint);
    fairlead = await FairleadProcess.start(configuration(port));
    const result = await runFairlead(fairlead, options);
    const peer = options.withHaproxy ? await relayByHaproxy(folder, port, options.mib) : [];
    return { ...result, figures: [...machine(), ...result.figures, ...peer] };
  } finally {
    await fairlead?.stop('SIGKILL');
    endpoint.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  const [text] = (await once(stdout!, 'data')) as [Buffer];
  return Number(text.toString());
}

function configuration(port: number): Parameters<typeof FairleadProcess.start>[0] {
  return (ports) => `
workers: 1
listeners: [{ name: tcp, mode: tcp, bind: "127.0.0.1:${ports.web}" }]
routes: [{ match: { listener: tcp }, upstream: echo }]
upstreams: { echo: { endpoints: ["tcp://127.0.0.1:${port}"], health: { heartbeat: { type: tcp } } } }
admin: { bind: "127.0.0.1:${ports.admin}" }
log: { level: error }
`;
}

function machine(): string[] {
  const [load] = loadavg();
  const beside = load! > 1 ? `, beside other work (load ${load!.toFixed(1)})` : '';
  return [`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}${beside}`];
}

async function runFairlead(
  fairlead: FairleadProcess,
  { connections, mib }: EnduranceOptions,
): Promise<EnduranceResult> {
  const observer = new Observer(fairlead);
  const port = Number(new URL(fairlead.url).port);
  const faults: string[] = [];
  await holdSessions(port, Math.min(connections, AT_A_TIME), faults);
  await pause(SETTLE_MS);
  const [descriptors, before] = [observer.descriptors(), await fairlead.residentBytes()];
  const open = await holdSessions(port, connections, faults, () => observer.descriptors() - descriptors);
  const resident = await fairlead.residentBytes();
  const relayed = await relay(port, fairlead.child.pid!, mib);
  faults.push(...relayed.faults, ...(await observer.leftovers(descriptors)));
  const grown = ((await fairlead.residentBytes()) - before) / MIB;
  if (grown > GROWTH_MIB) faults.push(`resident memory has grown by ${grown.toFixed(0)} MiB`);
  const figures = [
    `${connections} sessions at once: ${open} descriptors, ${(resident / MIB).toFixed(0)} MiB resident after them, ended in ${ENDINGS.length} ways`,
    `Fairlead: ${relayed.text}`,
    `resident memory at the end: ${grown >= 0 ? '+' : ''}${grown.toFixed(1)} MiB`,
  ];
  return { faults, figures };
}

/** Opens sessions, exchanges bytes on all, and ends them. @returns what `look` finds while all are open */
async function holdSessions(port: number, count: number, faults: string[], look = (): number => 0): Promise<number> {
  const sessions: ClientSession[] = [];
  const ofAll = async (act: (session: ClientSession) => Promise<void>): Promise<void> => {
    for (let at = 0; at < sessions.length; at += AT_A_TIME) {
      const outcomes = await Promise.allSettled(sessions.slice(at, at + AT_A_TIME).map(act));
      faults.push(...outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])));
    }
  };
  for (let at = 0; at < count; at += AT_A_TIME) {
    const size = Math.min(AT_A_TIME, count - at);
    const batch = Array.from({ length: size }, (_, index) => new ClientSession(port, ENDINGS[index % ENDINGS.length]!));
    const outcomes = await Promise.allSettled(batch.map((session) => session.exchange('first')));
    faults.push(...outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])));
    sessions.push(...batch);
  }
  await ofAll((session) => session.exchange('second'));
  const found = look();
  await ofAll((session) => session.end());
  for (const session of sessions) session.destroy();
  return found;
}

async function relay(port: number, pid: number, mib: number): Promise<{ faults: string[]; text: string }> {
  const before = cpuUsOf(pid);
  const startMs = performance.now();
  const each = Math.floor((mib * MIB) / STREAMS);
  const outcomes = await Promise.all(Array.from({ length: STREAMS }, () => transfer(port, each)));
  const seconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = (cpuUsOf(pid) - before) / 1e6;
  const gib = (2 * mib) / 1024;
  const faults = outcomes.filter((fault) => fault !== null);
  const rate = `${(cpuSeconds / gib).toFixed(2)} s of CPU time per GiB, ${(gib / seconds).toFixed(2)} GiB/s`;
  return { faults, text: `${mib} MiB each way over ${STREAMS} sessions: ${rate}` };
}

async function relayByHaproxy(folder: string, endpointPort: number, mib: number): Promise<string[]> {
  const version = haproxy.version();
  if (version === null) return ['HAProxy: not installed'];
  const place = { folder, cores: `0-${cpus().length - 1}`, workers: 1 };
  const running: RunningPeer = await haproxy.start(
    place,
    (port) => `
global
    nbthread 1
    maxconn 100
defaults
    mode tcp
    timeout connect 3s
    timeout client 1h
    timeout server 1h
listen tcp
    bind 127.0.0.1:${port}
    server echo 127.0.0.1:${endpointPort}
`,
  );
  try {
    const { faults, text } = await relay(running.port, running.pid, mib);
    return [`HAProxy ${version}: ${text}`, ...faults.map((fault) => `HAProxy: ${fault}`)];
  } finally {
    await running.stop();
  }
}
