// Permission for a certificate on demand, from the application that knows its customers' names. Thread: main.

import { request } from 'undici';

const TIMEOUT_MS = 5_000;
const LARGEST_ANSWER_BYTES = 64 * 1024;

/** `unknown` where there was no answer: the name is neither permitted nor refused for long. */
export interface Permission {
  readonly verdict: 'permitted' | 'refused' | 'unknown';
  /** '' where it is permitted. */
  readonly reason: string;
}

/** Sends `GET url?domain=NAME`. Status 200 permits the name; redirects aren't followed. Never throws. */
export async function askPermission(url: string, name: string, signal: AbortSignal): Promise<Permission> {
  const target = new URL(url);
  target.searchParams.set('domain', name);
  try {
    const { statusCode, body } = await request(target, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await body.dump({ limit: LARGEST_ANSWER_BYTES });
    if (statusCode === 200) return { verdict: 'permitted', reason: '' };
    const reason = `${target.host} answers ${statusCode}`;
    return { verdict: statusCode >= 500 ? 'unknown' : 'refused', reason };
  } catch (error) {
    const { name: kind, message } = error as Error;
    const cause = kind === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : message;
    return { verdict: 'unknown', reason: `${target.host} is unreachable: ${cause}` };
  }
}
