// Policy: HTTP Basic authentication (RFC 7617) by users of the configuration or of an htpasswd file. A password is verified
// in a thread of its own, once; failures are limited for each client, so that guesses take no processor time.
// Thread: both.

import { clientNetwork } from '../../core/address.ts';
import { rateOf } from '../../core/memory/rate-table.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { CausedReply, Policy, PolicyAnswer, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, CreateContext, ExplainedExchange } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';
import { reasonAgainstEdit } from './editable-fields.ts';
import { checkPasswordHash, hashingCost } from './passwords/password-hash.ts';
import { hash, randomBytes } from 'node:crypto';

/** Failures of one client: 20 at once, then one in 6 s. */
const FAILURES = rateOf(6000, 20, 0);
/** Longer ones are no credentials of people. */
const MOST_FIELD_LENGTH = 1024;
const MOST_PROBLEMS = 5;
const BUSY: CausedReply = { cause: 'auth-busy' };

/** Data of the policy in a Snapshot. */
export interface BasicAuthData {
  readonly basicAuth: {
    /** Hashes by name. */
    readonly users: Readonly<Record<string, string>>;
    readonly realm: string;
    readonly passesOn: boolean;
    /** '' sets none. */
    readonly userField: string;
  };
}

export const basicAuth = builtIn({
  name: 'basic-auth',
  scope: 'route',
  stage: 'authorize',
  needs: ['reply', 'wait'],
  waitMs: 60_000,
  options: (schemas) => ({ basicAuth: basicAuthOptions(schemas).optional() }),
  compile: ({ basicAuth: options }, context): BasicAuthData | null =>
    options === undefined ? null : { basicAuth: compileUsers(options, context) },
  create: ({ basicAuth: data }, context) => new GuardedRoute(data, context),
  explain: ({ basicAuth: { users } }, { request }: ExplainedExchange) => {
    const credentials = credentialsIn(request.field('authorization'));
    if (credentials === null) return 'refuses a request without credentials (401)';
    return `${Object.hasOwn(users, credentials.user) ? 'verifies the password of the' : 'refuses the unknown'} user`;
  },
});

function basicAuthOptions({ z, text, filePath, fieldName }: OptionSchemas) {
  const hash = text(checkPasswordHash, { expects: 'a bcrypt or scrypt hash', example: '"$2y$10$..."' });
  return z
    .strictObject({
      users: z
        .record(z.string(), hash.describe('Hash of the password.'))
        .meta({ expects: 'a mapping of names to hashes', example: '{ alice: "$2y$10$..." }', isSecret: true })
        .describe('Hashes of passwords by user: bcrypt (`htpasswd -nB NAME`) or scrypt (`fairlead hash-password`).')
        .optional(),
      file: filePath('users.htpasswd')
        .describe('htpasswd file with further users; bcrypt and scrypt alone.')
        .optional(),
      realm: text(parseRealm, { expects: 'a text', example: 'staff' })
        .prefault('restricted')
        .describe('Name of the protected space, which browsers show.'),
      passOn: z.boolean().default(false).describe('Whether endpoints get the `Authorization` field.'),
      userField: fieldName().describe('Request field that names the user to endpoints.').optional(),
    })
    .meta({ expects: 'a mapping with users or file', example: '{ file: users.htpasswd }' })
    .describe('Requires a user name and a password (HTTP Basic authentication).');
}

function parseRealm(text: string): { ok: true; value: string } | { ok: false; message: string } {
  if (/^[\x20-\x7e]{1,100}$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: 'a realm has 1 to 100 printable ASCII characters' };
}

type BasicAuthOptions = NonNullable<OptionsOf<{ basicAuth: ReturnType<typeof basicAuthOptions> }>['basicAuth']>;

function compileUsers(options: BasicAuthOptions, context: CompileContext): BasicAuthData['basicAuth'] {
  const { users = {}, file, realm, passOn, userField = '' } = options;
  const { report } = context;
  const all = new Map(file === undefined ? [] : usersOfFile(file, context));
  for (const [name, hash] of Object.entries(users)) {
    if (!isUserName(name)) {
      const message = `${JSON.stringify(name)} is no user name: printable ASCII characters without a colon`;
      report({ path: ['basicAuth', 'users', name], part: 'key', message });
    }
    all.set(name, hash);
  }
  if (all.size === 0 && file === undefined) {
    report({ path: ['basicAuth'], part: 'key', message: 'basicAuth needs users or a file: nobody could sign in' });
  }
  const reason = userField === '' ? null : reasonAgainstEdit(userField.toLowerCase(), 'request');
  if (reason !== null) {
    report({
      code: 'FL3009',
      path: ['basicAuth', 'userField'],
      message: `the field ${userField} cannot be set: ${reason}`,
    });
  }
  return { users: Object.fromEntries(all), realm, passesOn: passOn, userField };
}

function isUserName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e](?:[\x20-\x39\x3b-\x7e]*[\x21-\x39\x3b-\x7e])?$/.test(name) && name !== '__proto__';
}

/** Users of an htpasswd file; reports lines that are none. Messages have no hash. */
function usersOfFile(file: string, { readFile, report }: CompileContext): [string, string][] {
  const path = ['basicAuth', 'file'];
  const users: [string, string][] = [];
  let problems = 0;
  for (const [index, written] of (readFile(file, path) ?? '').split(/\r?\n/).entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const [name, hash] = [line.slice(0, colon), line.slice(colon + 1)];
    const checked = checkPasswordHash(hash);
    if (colon > 0 && isUserName(name) && checked.ok) users.push([name, hash]);
    else if (++problems <= MOST_PROBLEMS) {
      const reason = colon > 0 && isUserName(name) && !checked.ok ? checked.message : 'a line is NAME:HASH';
      report({ path, message: `${file} line ${index + 1}: ${reason}` });
    }
  }
  return users;
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** RFC 7617 section 2; null for a field that is none of it. */
function credentialsIn(authorization: string | undefined): Credentials | null {
  if (authorization === undefined || authorization.length > MOST_FIELD_LENGTH) return null;
  const match = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization);
  if (match === null) return null;
  const text = Buffer.from(match[1]!, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

class GuardedRoute implements Policy {
  readonly #users: ReadonlyMap<string, string>;
  /** A hash that takes as long as the slowest one, for unknown names. */
  readonly #decoy: string;
  readonly #data: BasicAuthData['basicAuth'];
  readonly #challenge: CausedReply;
  readonly #known = new KnownCredentials();
  /** Verifications in progress by digest: a browser sends several requests at once. */
  readonly #open = new Map<string, Promise<boolean>>();
  readonly #failures;
  readonly #services;

  constructor(data: BasicAuthData['basicAuth'], { services, owner }: CreateContext) {
    this.#data = data;
    this.#users = new Map(Object.entries(data.users));
    this.#decoy = [...this.#users.values()].toSorted((a, b) => hashingCost(b) - hashingCost(a))[0] ?? '';
    const realm = data.realm.replaceAll(/["\\]/g, (character) => `\\${character}`);
    this.#challenge = {
      cause: 'unauthenticated',
      fields: ['WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`],
    };
    this.#failures = services.clients.hash.derive(`basic-auth ${owner}`);
    this.#services = services;
  }

  onRequest(exchange: PolicyExchange): PolicyAnswer | Promise<PolicyAnswer> {
    const authorization = exchange.request.field('authorization');
    if (authorization === undefined) return this.#challenge;
    const digest = credentialDigest(authorization);
    const known = this.#known.find(digest, this.#services.nowMs());
    if (known === false) return this.#challenge;
    const credentials = credentialsIn(authorization);
    if (credentials === null) return this.#challenge;
    // Before the wait: a request that is refused is not sent, and the exchange may have ended after it.
    this.#edit(exchange, credentials);
    if (known === true) return undefined;
    const open = this.#open.get(digest);
    if (open === undefined) {
      const waitMs = this.#blockedMs(exchange.clientAddress);
      if (waitMs > 0) return { cause: 'rate-limited', fields: ['Retry-After', String(Math.ceil(waitMs / 1000))] };
      if (this.#services.passwords.isFull) return BUSY;
    }
    return (open ?? this.#begin(credentials, digest, exchange.clientAddress)).then((isRight) =>
      isRight ? undefined : this.#challenge,
    );
  }

  #begin({ user, password }: Credentials, digest: string, clientAddress: string): Promise<boolean> {
    const stored = this.#users.get(user);
    const verifying = this.#services.passwords.verify(password, stored ?? this.#decoy).then((matches) => {
      const isRight = matches && stored !== undefined;
      const nowMs = this.#services.nowMs();
      this.#known.add(digest, isRight, nowMs);
      if (!isRight) {
        this.#failures.of(clientNetwork(clientAddress));
        this.#services.clients.rates.take(this.#failures.low, this.#failures.high, FAILURES, nowMs);
      }
      return isRight;
    });
    const settled = verifying.finally(() => this.#open.delete(digest));
    this.#open.set(digest, settled);
    return settled;
  }

  /** Time until a client that has failed too often may try again. */
  #blockedMs(clientAddress: string): number {
    this.#failures.of(clientNetwork(clientAddress));
    return this.#services.clients.rates.peek(this.#failures.low, this.#failures.high, FAILURES, this.#services.nowMs());
  }

  #edit(exchange: PolicyExchange, { user }: Credentials): void {
    const { passesOn, userField } = this.#data;
    if (!passesOn) exchange.removeRequestField('authorization');
    if (userField !== '' && this.#users.has(user)) exchange.setRequestField(userField, user);
  }
}

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
function credentialDigest(authorization: string): string {
  return hash('sha256', `${KEY}${authorization}`, 'base64');
}

/**
 * Credentials whose verification is known, so that a hash is computed once and not for each request. Kept under a digest
 * with a key of the process: neither passwords nor their plain digests are in memory.
 */
class KnownCredentials {
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
