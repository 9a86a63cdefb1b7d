// CPU time per request: Fairlead beside HAProxy, nginx, Caddy and http-proxy-3, each pinned to one core, load and origin
// on another. `npm run bench -- --help` prints the options. Thread: main.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isReached } from './aims.ts';
import type { BenchCase } from './cases.ts';
import { makeCertificate } from '../peers/self-signed-certificate.ts';
import { measure, type Surroundings } from './measure.ts';
import { type BenchOptions, HELP, readBenchOptions } from './options.ts';
import { startOrigin } from './origin.ts';
import { preparePrograms, versionText } from '../peers/program.ts';
import type { Proxy } from './proxies/proxy.ts';
import { judgementsOf, placeReport, renderReport, type ReportParts } from './report.ts';
import { inOneLine, type Outcome, Results, summarise } from './summary.ts';
import { machineFacts, toolFacts } from './versions.ts';
import { StepProgress } from '../progress/step-progress.ts';

const MEMORY_FOLDER = '/dev/shm';
const NEEDED = ['nginx', 'openssl', 'taskset'];

async function main(): Promise<number> {
  const options = readOptionsOrExplain();
  if (options === null) return 2;
  if (options.isHelp) return say(HELP);
  preparePrograms();
  const trouble = troubleWith(options);
  if (trouble !== null) return say(trouble, 2);
  const facts = factsOf(options);
  const results = await measureAll(options);
  const parts: ReportParts = { results, cases: options.cases, proxies: options.proxies, facts };
  const report = renderReport(parts);
  say(`\n${report}`);
  if (options.markdownFile !== null) {
    writeFileSync(options.markdownFile, placeReport(readFileSync(options.markdownFile, 'utf8'), report));
  }
  const missed = options.isCheck ? judgementsOf(parts).filter((judgement) => !isReached(judgement)) : [];
  if (missed.length > 0) say(`${missed.length} aims missed: ${missed.map(({ aim }) => aim.title).join('; ')}`);
  if (results.failedCount > 0) say(`${results.failedCount} cells failed`);
  return missed.length + results.failedCount > 0 ? 1 : 0;
}

function say(text: string, exitCode = 0): number {
  console.log(text);
  return exitCode;
}

function readOptionsOrExplain(): BenchOptions | null {
  try {
    return readBenchOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return null;
  }
}

/** Problems that would spoil the measurements, or show only after them. */
function troubleWith({ markdownFile, cases }: BenchOptions): string | null {
  if (process.platform !== 'linux') return 'the benchmark reads /proc and pins to cores: Linux only';
  if (availableParallelism() < 2) return 'the benchmark needs two cores: one for the proxy, one for the load';
  const wanted = cases.filter(({ handshakes }) => handshakes === null);
  const loads = new Set(wanted.map(({ http2 }) => (http2 === null ? 'wrk' : 'h2load')));
  const missing = [...NEEDED, ...loads].filter((command) => versionText(command, '--version') === null);
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (scripts/install-peers.sh)`;
  if (markdownFile === null) return null;
  try {
    placeReport(readFileSync(markdownFile, 'utf8'), '');
    return null;
  } catch (error) {
    return `${markdownFile}: ${(error as Error).message}`;
  }
}

function factsOf(options: BenchOptions): readonly (readonly [string, string])[] {
  const { seconds, warmupSeconds, rounds, connections, cores } = options;
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['command', `\`${command}\``],
    [
      'run',
      `${rounds} rounds of ${seconds} s after ${warmupSeconds} s of warm-up, ${connections} connections (HTTP/2: by case)`,
    ],
    ['cores', `proxy ${cores.proxy}, load and origin ${cores.load}, second worker ${cores.second}`],
    ...machineFacts(),
    ...options.proxies.map((proxy) => [proxy.title, proxy.version() ?? `NOT INSTALLED (${proxy.install})`] as const),
    ...toolFacts(),
  ];
}

async function measureAll(options: BenchOptions): Promise<Results> {
  const folder = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'fairlead-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const certificate = makeCertificate(folder);
  const origin = await startOrigin(folder, options.cores.load);
  const results = new Results();
  const around: Surroundings = { ...options, folder, certificate, originPort: origin.port };
  const cells = options.cases.flatMap((benchCase) =>
    options.proxies.filter((proxy) => whyAbsent(proxy, benchCase) === null),
  );
  const progress = new StepProgress(cells.length * options.rounds);
  for (const benchCase of options.cases) await measureCase(benchCase, options, { around, results, progress });
  await origin.stop();
  return results;
}

interface Measuring {
  readonly around: Surroundings;
  readonly results: Results;
  readonly progress: StepProgress;
}

/** The reason for which a proxy isn't measured with a case; null where it is. */
function whyAbsent(proxy: Proxy, benchCase: BenchCase): string | null {
  return proxy.version() === null ? `not installed (${proxy.install})` : proxy.refusal(benchCase);
}

/** Runs all rounds of a case interleaved, so that changes of the machine affect all proxies alike. */
async function measureCase(
  benchCase: BenchCase,
  { proxies, rounds }: BenchOptions,
  { around, results, progress }: Measuring,
): Promise<void> {
  const outcomes = new Map<Proxy, Outcome[]>();
  for (const proxy of proxies) {
    const why = whyAbsent(proxy, benchCase);
    if (why === null) outcomes.set(proxy, []);
    else results.set(benchCase.name, proxy.name, { kind: 'absent', why });
  }
  for (let round = 1; round <= rounds; round++) {
    for (const [proxy, list] of outcomes) {
      const name = `${benchCase.name} ${round}/${rounds} ${proxy.name}`;
      const outcome = await progress.step(name, () => attempt(proxy, benchCase, around));
      list.push(outcome);
      console.log(`${name}: ${describe(outcome)}`);
    }
  }
  for (const [proxy, list] of outcomes) results.set(benchCase.name, proxy.name, summarise(list));
}

async function attempt(proxy: Proxy, benchCase: BenchCase, around: Surroundings): Promise<Outcome> {
  try {
    return { sample: await measure(proxy, benchCase, around) };
  } catch (error) {
    return { failure: inOneLine((error as Error).message) };
  }
}

function describe(outcome: Outcome): string {
  if ('failure' in outcome) return `FAILED: ${outcome.failure}`;
  const { cpuUs, requestsPerSecond, p50Ms, p99Ms, residentMib } = outcome.sample;
  const latency = `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  return `${cpuUs.toFixed(1)} us, ${requestsPerSecond.toFixed(0)}/s, ${latency}, ${residentMib.toFixed(0)} MiB`;
}

process.exitCode = await main();
