// Verifies passwords in a thread that begins with the first one. Jobs wait in a row of bounded length. Thread: worker.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PasswordService } from '../../../core/policy/policy-definition.ts';
import type { PasswordJob, PasswordVerdict } from './password-thread.ts';

/** No other file knows the module's path. */
const THREAD_URL = new URL(`./password-thread${extname(import.meta.filename)}`, import.meta.url);
/** Verifications that may wait: at 0.1 s each the last one takes some three seconds. */
const MOST_JOBS = 32;
/** Jobs are plain; scrypt's memory is outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

interface OpenJob {
  readonly resolve: (matches: boolean) => void;
  readonly reject: (error: Error) => void;
}

export class PasswordVerifier implements PasswordService {
  readonly #jobs = new Map<number, OpenJob>();
  #thread: Worker | null = null;
  #number = 0;

  /** Whether a further password would have to wait too long. */
  get isFull(): boolean {
    return this.#jobs.size >= MOST_JOBS;
  }

  /** Whether a password has a hash. Rejects where the thread fails. */
  verify(password: string, stored: string): Promise<boolean> {
    const number = ++this.#number;
    const job: PasswordJob = { number, password, stored };
    return new Promise((resolve, reject) => {
      const thread = this.#open();
      thread.ref();
      thread.postMessage(job);
      this.#jobs.set(number, { resolve, reject });
    });
  }

  #open(): Worker {
    if (this.#thread !== null) return this.#thread;
    const thread = new Worker(THREAD_URL, { resourceLimits: RESOURCE_LIMITS, execArgv: [] });
    thread.on('message', ({ number, matches }: PasswordVerdict) => {
      this.#jobs.get(number)?.resolve(matches);
      this.#jobs.delete(number);
      // An idle thread must not keep its process.
      if (this.#jobs.size === 0) thread.unref();
    });
    // Another one begins with the next password.
    thread.on('error', (error) => this.#fail(error as Error));
    thread.on('exit', () => this.#fail(new Error('the thread that verifies passwords has ended')));
    return (this.#thread = thread);
  }

  #fail(error: Error): void {
    this.#thread = null;
    for (const { reject } of this.#jobs.values()) reject(error);
    this.#jobs.clear();
  }
}
