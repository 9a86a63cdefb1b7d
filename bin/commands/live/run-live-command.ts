// How commands that speak to a Fairlead that runs end: one sentence and an exit code, never a stack. Thread: main.

import { AddressError } from './admin-target.ts';
import { EXIT } from '../exit-codes.ts';
import { plainText } from '../explain/why-text.ts';

/** Wrong usage, seen only while the command ran. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs it. What it throws is told, and sets the exit code: 2 for wrong usage, else 4. */
export async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { message } = error as Error;
    // Names and causes hold what others have said: no byte of it may steer the terminal.
    console.error(`fairlead: ${message.split('\n').map(plainText).join('\n')}`);
    process.exitCode = error instanceof AddressError || error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
