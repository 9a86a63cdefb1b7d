// The program of a process that runs commands of `fairlead` one after the other, for `runCommand`: it loads the command
// line once. Thread: main.

import { runCommandLine } from '../../bin/commands/command-line.ts';
import type { CommandOutcome, CommandRequest } from './fairlead-process.ts';

type Writable = Pick<NodeJS.WriteStream, 'write'>;

/** Replaces the environment of the process. */
function setEnvironment(env: Readonly<NodeJS.ProcessEnv>): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
}

/** Passes what is written to a stream to `take`. */
function capture(stream: Writable, take: (text: string) => void): void {
  stream.write = (chunk: Uint8Array | string): boolean => {
    take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    return true;
  };
}

async function run({ args, cwd, env }: CommandRequest): Promise<CommandOutcome> {
  let stdout = '';
  let stderr = '';
  capture(process.stdout, (text) => (stdout += text));
  capture(process.stderr, (text) => (stderr += text));
  process.chdir(cwd);
  setEnvironment(env);
  await runCommandLine([process.execPath, 'fairlead', ...args]);
  return { code: takeExitCode(), stdout, stderr };
}

function takeExitCode(): number {
  const { exitCode = 0 } = process;
  process.exitCode = undefined;
  return Number(exitCode);
}

process.on('message', (request: CommandRequest) => void run(request).then((outcome) => process.send!(outcome)));
process.on('disconnect', () => process.exit());
