// Error handling of commands that use a running Fairlead: one sentence and an exit code, never a stack trace.
// Thread: main.

import { AddressError } from './admin-target.ts';
import { EXIT } from '../exit-codes.ts';
import { plainText } from '../explain/why-text.ts';

/** Wrong usage that shows only at run time. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a command. An error is printed and sets the exit code: 2 for wrong usage, otherwise 4. */
export async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { message } = error as Error;
    // Names and causes contain data from outside, which must not control the terminal.
    console.error(`fairlead: ${message.split('\n').map(plainText).join('\n')}`);
    process.exitCode = error instanceof AddressError || error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
