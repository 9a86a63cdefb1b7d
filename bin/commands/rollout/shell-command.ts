// Shell commands of a rollout. Thread: main.

import { spawn } from 'node:child_process';

/**
 * Runs a command with the shell and shows its output. The command has the terminal's process group, so that Ctrl-C reaches
 * it as well; a termination of this process is passed on to it.
 * @param hasQuietStdout its output goes to standard error, because standard output is for programs
 * @returns '' for success, otherwise why it failed
 */
export function runShellCommand(
  command: string,
  { hasQuietStdout, signal }: { hasQuietStdout: boolean; signal: AbortSignal | null },
): Promise<string> {
  const child = spawn(command, { shell: true, stdio: ['inherit', hasQuietStdout ? 2 : 'inherit', 'inherit'] });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return new Promise((resolve) => {
    const finish = (failure: string): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(failure);
    };
    child.on('error', (error) => finish(error.message));
    // Not `close`: a server that the command leaves in the background keeps its output open.
    child.on('exit', (code, killer) => {
      if (code === 0) finish('');
      else finish(code === null ? `killed by ${killer}` : `exit code ${code}`);
    });
  });
}
