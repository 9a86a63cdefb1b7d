// Credentials whose verification is known, so that a hash is computed once and not for each request. Kept under a digest
// with a key of the process: neither passwords nor their plain digests are in memory. Thread: both.

import { hash, randomBytes } from 'node:crypto';

const KEY = randomBytes(32).toString('base64');
const MOST_KNOWN = 10_000;
/** A user that is removed from a file is gone with the next configuration; this bounds what else may change. */
const KNOWN_MS = 10 * 60_000;
/** Wrong ones are kept for less: they are for clients that repeat one wrong password. */
const WRONG_MS = 60_000;

interface Known {
  readonly isRight: boolean;
  readonly untilMs: number;
}

/** Digest of an Authorization field: nobody can compute it without the key. */
export function credentialDigest(authorization: string): string {
  return hash('sha256', `${KEY}${authorization}`, 'base64');
}

export class KnownCredentials {
  /** In the order in which they were added. */
  readonly #known = new Map<string, Known>();

  /** Whether credentials are right; undefined where that is not known. */
  find(digest: string, nowMs: number): boolean | undefined {
    const known = this.#known.get(digest);
    if (known === undefined) return undefined;
    if (known.untilMs > nowMs) return known.isRight;
    this.#known.delete(digest);
    return undefined;
  }

  add(digest: string, isRight: boolean, nowMs: number): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(digest, { isRight, untilMs: nowMs + (isRight ? KNOWN_MS : WRONG_MS) });
  }
}
