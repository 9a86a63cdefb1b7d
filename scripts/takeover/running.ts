// A Fairlead process whose log is followed. Thread: main.

import type { ChildProcess } from 'node:child_process';

const LIMIT_MS = 40_000;

export interface Running {
  readonly child: ChildProcess;
  /** Waits until it has logged `ready` this many times. */
  ready(times: number): Promise<void>;
  /** The same for any beginning of a log line. */
  said(text: string, times: number): Promise<void>;
  /** Sends TERM and waits for the exit. */
  terminate(): Promise<void>;
}

export function startLogged(child: ChildProcess): Running {
  const texts: string[] = [];
  let rest = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) texts.push(textOf(line));
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  process.once('exit', () => child.kill());
  const said = async (text: string, times: number): Promise<void> => {
    const giveUpMs = performance.now() + LIMIT_MS;
    while (texts.filter((one) => one.startsWith(text)).length < times) {
      if (performance.now() > giveUpMs || child.exitCode !== null)
        throw new Error(`never said: ${text}\n${texts.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    child,
    said,
    ready: (times) => said('ready', times),
    terminate: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function textOf(line: string): string {
  if (!line.startsWith('{')) return line;
  return (JSON.parse(line) as { text?: string }).text ?? '';
}
