// A thread of its own that verifies passwords, one after the other: a hash takes far too long for the thread that serves
// requests, and one thread bounds the processor time that guesses can take. Thread: worker.

import { parentPort } from 'node:worker_threads';
import { matchesPassword } from './password-hash.ts';

export interface PasswordJob {
  readonly number: number;
  readonly password: string;
  readonly stored: string;
}

export interface PasswordVerdict {
  readonly number: number;
  readonly matches: boolean;
}

parentPort!.on('message', ({ number, password, stored }: PasswordJob) => {
  const verdict: PasswordVerdict = { number, matches: matchesPassword(password, stored) };
  parentPort!.postMessage(verdict);
});
