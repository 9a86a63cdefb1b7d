// Policy: answers the HTTP-01 challenges of certificate authorities (RFC 8555 section 8.3) before redirects, sign-ins and
// rates. No configuration has it: control/certificates/ adds it to the listeners. Thread: both.

import type { PolicyAnswer } from '../../core/policy/policy.ts';
import { HTTP_CHALLENGE_PATH, readHttpAnswer, tokenOfTarget } from '../../net/acme-challenges.ts';
import { builtIn } from './built-in.ts';

/** Data of the policy in a Snapshot. */
export interface AcmeChallengeData {
  readonly acmeChallenge: {
    /** Absolute paths. */
    readonly storages: readonly string[];
  };
}

export const acmeChallenge = builtIn({
  name: 'acme-challenge',
  scope: 'listener',
  stage: 'admit',
  needs: ['reply', 'wait'],
  options: () => ({}),
  compile: (): AcmeChallengeData | null => null,
  create: ({ acmeChallenge: { storages } }) => ({
    onRequest({ request: { target } }) {
      if (!target.startsWith(HTTP_CHALLENGE_PATH)) return undefined;
      const token = tokenOfTarget(target);
      return token === '' ? undefined : answerOf(token, storages);
    },
  }),
  explain: () => 'answers challenges of certificate authorities',
});

/** Nothing for an unknown token: an endpoint may have ordered a certificate itself. */
async function answerOf(token: string, storages: readonly string[]): Promise<PolicyAnswer> {
  for (const storage of storages) {
    const body = await readHttpAnswer(storage, token);
    if (body !== null) return { status: 200, fields: ['Content-Type', 'application/octet-stream'], body };
  }
  return undefined;
}
