// One order at a certificate authority, from its creation to the certificate (RFC 8555 section 7.4). Every step begins
// with the order's status, so that an order can be resumed by another process. Thread: main.

import type { KeyObject } from 'node:crypto';
import type { AcmeClient, Resource } from './acme-client.ts';
import { AcmeError, errorOfProblem, type AcmeProblem } from './acme-error.ts';
import { signingRequest } from './x509.ts';

/** Time between two looks at a resource, unless the CA demands more. */
const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 10_000;
const POLL_GROWTH = 1.6;

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

/** A challenge that was chosen for a name. */
export interface Challenge {
  /** DNS name without `*.`. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/** Makes the answers to challenges available to the CA. */
export interface ChallengeSolver {
  readonly type: ChallengeType;
  /** The answer is available everywhere when the promise resolves. @throws why it can't be */
  present(challenge: Challenge): Promise<void>;
  withdraw(challenge: Challenge): Promise<void>;
}

export interface OrderParts {
  readonly client: AcmeClient;
  readonly solver: ChallengeSolver;
  readonly names: readonly string[];
  /** Key of the certificate. */
  readonly key: KeyObject;
  /** Monotonic ms by which the order must be complete. */
  readonly deadlineMs: number;
  readonly nowMs: () => number;
  /** @throws when the process ends */
  readonly sleep: (ms: number) => Promise<void>;
  /** Identifier of the certificate that the new one replaces (RFC 9773 section 5); null for none. */
  readonly replaces: string | null;
  /** Records the order before anything is done for it, to resume it after a crash. */
  readonly created: (url: string) => Promise<void>;
}

/** Creates an order, or resumes one. @returns the certificate chain in PEM @throws AcmeError and what the solver throws */
export async function completeOrder(parts: OrderParts, resumed: string | null): Promise<string> {
  const { client } = parts;
  let order = resumed === null ? await createOrder(parts) : await client.read(resumed, 'the order');
  const { url } = order;
  for (let pollMs = FIRST_POLL_MS; ; ) {
    switch (order.value['status']) {
      case 'pending':
        for (const authorization of urlsOf(order.value['authorizations'])) await authorize(parts, authorization);
        break;
      case 'ready':
        order = { ...(await finalize(parts, order)), url };
        continue;
      case 'processing':
        break;
      case 'valid':
        return await client.download(String(order.value['certificate']));
      default:
        throw failureOf(order.value['error'], `CA declares the order for ${parts.names.join(', ')} invalid`);
    }
    pollMs = await wait(parts, order.value['status'] === 'processing' ? order.retryAfterMs : 0, pollMs);
    order = { ...(await client.read(url, 'the order')), url };
  }
}

async function createOrder(parts: OrderParts): Promise<Resource> {
  const { client, names, replaces, created } = parts;
  const { newOrder } = await client.directory();
  const request = { identifiers: names.map((value) => ({ type: 'dns', value })) };
  const noun = `the order for ${names.join(', ')}`;
  const order = await client
    .post(newOrder, { ...request, ...(replaces !== null && { replaces }) }, noun)
    .catch((error: unknown) => {
      // Another host has replaced the certificate, or the CA doesn't know it: order without that hint.
      if (replaces === null || !isAboutReplacement(error as AcmeError)) throw error;
      return client.post(newOrder, request, noun);
    });
  await created(order.url);
  return order;
}

function isAboutReplacement({ type, status, message }: AcmeError): boolean {
  return type === 'alreadyReplaced' || status === 409 || (type === 'malformed' && /replace/i.test(message));
}

async function finalize({ client, names, key }: OrderParts, order: Resource): Promise<Resource> {
  const csr = signingRequest(names, key).toString('base64url');
  return await client.post(String(order.value['finalize']), { csr }, `the signing request for ${names.join(', ')}`);
}

/** Has one name validated. */
async function authorize(parts: OrderParts, url: string): Promise<void> {
  const { client, solver } = parts;
  const authorization = await client.read(url, 'the authorization');
  if (authorization.value['status'] === 'valid') return;
  const name = nameOf(authorization);
  if (authorization.value['status'] !== 'pending') throw validationFailure(authorization, name);
  const offered = challengesOf(authorization);
  const chosen = offered.find(({ type }) => type === solver.type);
  if (chosen === undefined) {
    const types = offered.map(({ type }) => String(type)).join(', ');
    throw new AcmeError(`CA doesn't offer ${solver.type} for ${name}: it offers ${types}`);
  }
  const token = checkedToken(chosen['token']);
  const challenge = { name, token, keyAuthorization: client.key.authorization(token) };
  try {
    await solver.present(challenge);
    await client.post(String(chosen['url']), {}, `the ${solver.type} challenge for ${name}`);
    await validated(parts, url, name);
  } finally {
    await solver.withdraw(challenge).catch(() => undefined);
  }
}

/** Waits until the CA has validated a name. */
async function validated(parts: OrderParts, url: string, name: string): Promise<void> {
  for (let pollMs = FIRST_POLL_MS; ; ) {
    const authorization = await parts.client.read(url, 'the authorization');
    const { status } = authorization.value;
    if (status === 'valid') return;
    if (status !== 'pending') throw validationFailure(authorization, name);
    pollMs = await wait(parts, authorization.retryAfterMs, pollMs);
  }
}

/** Waits for one poll. @returns the time of the next one */
async function wait(parts: OrderParts, retryAfterMs: number, pollMs: number): Promise<number> {
  const ms = Math.max(pollMs, retryAfterMs);
  if (parts.nowMs() + ms > parts.deadlineMs) {
    throw new AcmeError(`CA didn't complete the order for ${parts.names.join(', ')} in time`, { retryAfterMs });
  }
  await parts.sleep(ms);
  return Math.min(LONGEST_POLL_MS, pollMs * POLL_GROWTH);
}

function nameOf({ value }: Resource): string {
  const identifier = value['identifier'] as { value?: unknown } | undefined;
  return typeof identifier?.value === 'string' ? identifier.value : '';
}

type OfferedChallenge = Readonly<Record<string, unknown>>;

function challengesOf({ value }: Resource): readonly OfferedChallenge[] {
  const list = value['challenges'];
  return Array.isArray(list)
    ? list.filter((item): item is OfferedChallenge => typeof item === 'object' && item !== null)
    : [];
}

/** The token becomes the name of a file. */
function checkedToken(token: unknown): string {
  if (typeof token === 'string' && /^[\w-]{16,128}$/.test(token)) return token;
  throw new AcmeError('CA gave a malformed token for a challenge');
}

function urlsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function validationFailure(authorization: Resource, name: string): AcmeError {
  const failed = challengesOf(authorization).find((challenge) => challenge['error'] !== undefined);
  const { type } = failed ?? {};
  const shown = typeof type === 'string' ? type : String(authorization.value['status']);
  return failureOf(failed?.['error'], `CA can't validate ${name} (${shown})`);
}

function failureOf(error: unknown, subject: string): AcmeError {
  const problem = (typeof error === 'object' && error !== null ? error : {}) as AcmeProblem & { status?: unknown };
  return errorOfProblem(subject, typeof problem.status === 'number' ? problem.status : 0, problem);
}
