// Runs one command line. Thread: main.

import { CommanderError } from 'commander';
import { readVersion } from '../../config/files/package-files.ts';
import { EXIT } from './exit-codes.ts';
import { buildProgram } from './program.ts';

/**
 * Runs a command line and sets the exit code of the process. A running balancer keeps the process alive.
 * @param argv as `process.argv`: the program, the script, then the arguments
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const version = await readVersion();
  try {
    await buildProgram(version).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    else {
      console.error(`fairlead: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = EXIT.failed;
    }
  }
}
