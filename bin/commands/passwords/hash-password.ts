// `fairlead hash-password`: the hash of a password from standard input, for users of `basicAuth`. Thread: main.

import { createInterface } from 'node:readline';
import { hashPassword } from '../../../proxy/policies/passwords/password-hash.ts';
import { EXIT } from '../exit-codes.ts';

/** Prints the hash of the first line of standard input. A terminal shows nothing of it. */
export async function printPasswordHash(): Promise<void> {
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) process.stderr.write('Password: ');
  const password = await firstLine(isTerminal);
  if (isTerminal) process.stderr.write('\n');
  if (password === '') {
    process.stderr.write('no password: write one to standard input\n');
    process.exitCode = EXIT.usage;
    return;
  }
  process.stdout.write(`${hashPassword(password)}\n`);
}

function firstLine(isTerminal: boolean): Promise<string> {
  return new Promise((resolve) => {
    // Without an output the terminal's own echo is off, and nothing is shown.
    const lines = createInterface({ input: process.stdin, terminal: isTerminal });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}
