// SIGHUP always reloaded: a process whose terminal was closed went on as an orphan that held the ports. Real terminals, by
// script(1). Thread: main.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../support/fairlead.ts';
import { configFile, ENTRY } from '../support/fairlead-process.ts';

const YAML = `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ respond: { status: 204 } }]
upstreams: {}
shutdown: { grace: 1s }
log: { format: json }
`;

const hasScript = spawnSync('script', ['--version']).status === 0;
const options = { skip: hasScript ? false : 'script(1) of util-linux is not installed' };

interface InTerminal {
  /** script(1): its death closes the terminal. */
  readonly terminal: ChildProcess;
  readonly output: () => string;
  readonly pid: number;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs a command in a terminal of its own, and returns when it logs that it is ready. */
async function startInTerminal(t: TestContext, command: string, log: () => string | null = () => null) {
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  let pid = 0;
  terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const output = (): string => log() ?? text;
  const ready = (): RegExpExecArray | null => /"pid":(\d+)[^\n]*"text":"ready/.exec(output());
  t.after(() => {
    terminal.kill('SIGKILL');
    if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  await eventually(() => ready() !== null, 'it is ready');
  pid = Number(ready()![1]);
  return { terminal, output, pid } satisfies InTerminal;
}

const commandOf = (file: string, more = ''): string => `${process.execPath} ${ENTRY} run --config ${file} ${more}`;

describe('a terminal that is closed', options, () => {
  test('ends the process, in order', async (t) => {
    const { file } = configFile(t, YAML);
    const { terminal, pid } = await startInTerminal(t, commandOf(file));
    terminal.kill('SIGKILL');
    await eventually(() => !isRunning(pid), 'the process has ended');
  });

  test('ends a holder and its process', async (t) => {
    const { file } = configFile(t, YAML);
    const { terminal, pid } = await startInTerminal(t, commandOf(file, '--holder'));
    terminal.kill('SIGKILL');
    await eventually(() => !isRunning(pid), 'the process has ended');
  });

  test('does not end a process under nohup', async (t) => {
    const { file, folder } = configFile(t, YAML);
    const log = path.join(folder, 'nohup.out');
    const read = (): string | null => readFileSync(log, { encoding: 'utf8', flag: 'a+' });
    const started = await startInTerminal(t, `cd ${folder} && exec nohup ${commandOf(file)}`, read);
    started.terminal.kill('SIGKILL');
    await eventually(() => started.output().includes('revision 2 runs'), 'the SIGHUP reloads');
    assert.ok(isRunning(started.pid));
  });
});

test('kill -HUP reloads a process whose terminal is open', options, async (t) => {
  const { file } = configFile(t, YAML);
  const { output, pid } = await startInTerminal(t, commandOf(file));
  process.kill(pid, 'SIGHUP');
  await eventually(() => output().includes('revision 2 runs'), 'it reloads');
  assert.ok(isRunning(pid));
});
