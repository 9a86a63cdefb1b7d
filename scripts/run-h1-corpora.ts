// Runs the shared HTTP/1.1 corpora against a whole Fairlead, on both paths at once: hostile requests and hostile
// responses. Ends with 1 when a case is lost that the goal asks for. `node scripts/run-h1-corpora.ts FOLDER [--dribble 1]`
// Thread: main.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FairleadProcess, freePort } from './load/fairlead-process.ts';

/** What issue 3 asks for at the least; the goal is all. */
const LEAST = { requests: 340, responses: 118 } as const;
/** Outcomes that are never acceptable, in the runners' words. */
const FORBIDDEN = ['SMUGGLED', 'EXTRA', 'DESYNC', 'RAW', 'SPLIT', 'MASKED', 'HANG'];

type Corpus = keyof typeof LEAST;

const [folder = '../shared/h1', ...more] = process.argv.slice(2);

function configuration(ports: { web: number; admin: number }, originPort: number, fastPath: boolean): string {
  return `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:${ports.web}" }]
routes: [{ upstream: origin }]
upstreams:
  origin:
    endpoints: ["http://127.0.0.1:${originPort}"]
    timeouts: { response: 4s, idle: 4s }
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
admin: { bind: "127.0.0.1:${ports.admin}" }
`;
}

/** Runs one corpus; resolves with the runner's report. */
async function runCorpus(corpus: Corpus, proxy: string, originPort: number): Promise<string> {
  const args = [join(folder, `run-${corpus}.py`), '--proxy', proxy, '--origin', `127.0.0.1:${originPort}`];
  args.push('--corpus', join(folder, `${corpus}.jsonl`), ...(corpus === 'requests' ? more : []));
  const runner = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  runner.stdout.setEncoding('utf8');
  runner.stdout.on('data', (chunk: string) => {
    text += chunk;
  });
  await once(runner, 'close');
  return text;
}

/** What is wrong with a report; empty where nothing is. */
function faultsOf(corpus: Corpus, report: string): string[] {
  const total = /^total\s.*$/m.exec(report)?.[0] ?? '';
  const passed = Number(/PASS=(\d+)/.exec(total)?.[1] ?? 0);
  const faults = FORBIDDEN.filter((outcome) => total.includes(`${outcome}=`));
  if (passed < LEAST[corpus]) faults.push(`only ${passed} passed, ${LEAST[corpus]} are wanted`);
  return faults;
}

async function runPath(fastPath: boolean): Promise<boolean> {
  const originPort = await freePort();
  const fairlead = await FairleadProcess.start((ports) => configuration(ports, originPort, fastPath));
  let isGood = true;
  for (const corpus of ['requests', 'responses'] as const) {
    const report = await runCorpus(corpus, fairlead.url.replace('http://', ''), originPort);
    const faults = faultsOf(corpus, report);
    console.log(`== ${corpus}, fastPath: ${fastPath}: ${faults.length === 0 ? 'ok' : faults.join(', ')}\n${report}`);
    isGood &&= faults.length === 0;
  }
  await fairlead.stop('SIGKILL');
  return isGood;
}

const outcomes = await Promise.all([runPath(true), runPath(false)]);
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
