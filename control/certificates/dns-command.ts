// DNS-01 (RFC 8555 section 8.4) by a command of the operator, which adds and removes TXT records. Thread: main.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { Challenge, ChallengeSolver } from './acme-order.ts';

/** A command that takes longer is killed. */
const TIMEOUT_MS = 120_000;
/** Output of a command that is read, for its error. */
const LARGEST_OUTPUT_BYTES = 64 * 1024;
const LONGEST_REASON = 300;

/** @param sleep waits until the record is visible; throws when the process ends */
export function dnsSolver(
  { command, waitMs }: NonNullable<AcmeSnapshot['dns']>,
  sleep: (ms: number) => Promise<void>,
): ChallengeSolver {
  return {
    type: 'dns-01',
    async present(challenge) {
      await run(command, 'present', challenge);
      await sleep(waitMs);
    },
    withdraw: (challenge) => run(command, 'withdraw', challenge),
  };
}

/** Runs `COMMAND present|withdraw NAME VALUE`, without a shell. @throws Error with the end of its output */
function run(
  [program = '', ...words]: readonly string[],
  action: 'present' | 'withdraw',
  { name, keyAuthorization }: Challenge,
): Promise<void> {
  const value = createHash('sha256').update(keyAuthorization).digest('base64url');
  const args = [...words, action, `_acme-challenge.${name}`, value];
  const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: LARGEST_OUTPUT_BYTES } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, limits, (error, stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(new Error(`DNS command ${program} ${action} failed for ${name}: ${reasonOf(error, stderr || stdout)}`));
    });
  });
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, output: string): string {
  const exit = error.killed === true ? `killed after ${TIMEOUT_MS / 1000} s` : `exit code ${String(error.code)}`;
  const text = output
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(-LONGEST_REASON);
  return text === '' ? exit : `${exit}: ${text}`;
}
