// Runs the command line. Thread: main.

import { CommanderError } from 'commander';
import { readVersion } from '../../config/files/package-files.ts';
import { EXIT } from './exit-codes.ts';
import { buildProgram } from './program.ts';

/** Runs the command line and sets the exit code. A running balancer keeps the process alive. */
async function main(): Promise<void> {
  const version = await readVersion();
  try {
    await buildProgram(version).parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    else {
      console.error(`fairlead: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = EXIT.failed;
    }
  }
}

await main();
