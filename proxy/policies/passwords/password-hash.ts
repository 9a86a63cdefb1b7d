// Stored passwords: the formats that are accepted, and those that are too weak. Thread: both.

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ParsedOption } from '../../../core/option-schema.ts';

/** A bcrypt hash of a higher cost takes more than ten seconds. */
const MOST_BCRYPT_COST = 16;
const LEAST_BCRYPT_COST = 4;
/** scrypt takes 128 * N * r bytes: 128 MiB at most. */
const MOST_SCRYPT_BYTES = 2 ** 27;
const MOST_SCRYPT_P = 16;
const NEW_SCRYPT = { ln: 15, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

interface ScryptHash {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** The part of bcryptjs that is used. */
interface Bcrypt {
  /** Blocks its thread. @param salt with version and cost; the rest of a whole hash is ignored */
  hashSync(password: string, salt: string): string;
}

let library: Bcrypt | null = null;

/** Kinds of hashes of other programs that a guess takes next to no time on, by how they begin. */
const WEAK: readonly (readonly [start: RegExp, name: string])[] = [
  [/^\$apr1\$/, 'MD5 (apr1)'],
  [/^\$1\$/, 'MD5 (crypt)'],
  [/^\{SHA\}/, 'SHA-1'],
  [/^\$[56]\$/, 'SHA-2 (crypt)'],
  [/^\{S?(?:SHA|MD5)/, 'a salted digest'],
];

/** Checks that a text is a hash in an accepted format. The message never has the text. */
export function checkPasswordHash(text: string): ParsedOption<string> {
  const cost = bcryptCost(text);
  if (cost !== null) {
    const isSane = cost >= LEAST_BCRYPT_COST && cost <= MOST_BCRYPT_COST;
    if (isSane) return { ok: true, value: text };
    return { ok: false, message: `the cost of a bcrypt hash must be from 4 to ${MOST_BCRYPT_COST}` };
  }
  if (parseScrypt(text) !== null) return { ok: true, value: text };
  const weak = WEAK.find(([start]) => start.test(text))?.[1];
  const what =
    weak === undefined ? 'this is no hash of a password that is supported' : `${weak} is too weak for passwords`;
  return { ok: false, message: `${what}: create one with fairlead hash-password (scrypt) or htpasswd -nB (bcrypt)` };
}

/** Cost of a bcrypt hash: $2a$, $2b$ or $2y$, which differ in bugs of old programs alone. Null for anything else. */
function bcryptCost(text: string): number | null {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1];
  return cost === undefined ? null : Number(cost);
}

/** bcryptjs, loaded at the first use: most threads verify no passwords. */
function bcrypt(): Bcrypt {
  return (library ??= createRequire(import.meta.url)('bcryptjs') as Bcrypt);
}

/** The format of password hashing competitions: `$scrypt$ln=15,r=8,p=1$SALT$KEY`. */
function parseScrypt(text: string): ScryptHash | null {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(
    text,
  );
  if (match === null) return null;
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  const isBounded = 128 * 2 ** ln * r <= MOST_SCRYPT_BYTES && p <= MOST_SCRYPT_P;
  if (ln < 1 || r < 1 || p < 1 || !isBounded) return null;
  return { ln, r, p, salt: Buffer.from(match[4]!, 'base64'), key: Buffer.from(match[5]!, 'base64') };
}

/** Whether a password has a hash. Blocks its thread. @param stored checked before */
export function matchesPassword(password: string, stored: string): boolean {
  if (bcryptCost(stored) !== null) {
    return timingSafeEqual(Buffer.from(bcrypt().hashSync(password, stored)), Buffer.from(stored));
  }
  const parsed = parseScrypt(stored);
  if (parsed === null) return false;
  const { ln, r, p, salt, key } = parsed;
  return timingSafeEqual(scryptKey(password, { ln, r, p, salt }, key.length), key);
}

/** A new scrypt hash: about 0.1 s and 32 MiB. */
export function hashPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const key = scryptKey(password, { ...NEW_SCRYPT, salt }, KEY_BYTES);
  const { ln, r, p } = NEW_SCRYPT;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`;
}

function scryptKey(password: string, { ln, r, p, salt }: Omit<ScryptHash, 'key'>, bytes: number): Buffer {
  return scryptSync(password, salt, bytes, { N: 2 ** ln, r, p, maxmem: MOST_SCRYPT_BYTES * 2 });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Measure of the time that a hash takes, to find the slowest one: of bcrypt and scrypt in units of about 1 us. */
export function hashingCost(stored: string): number {
  const cost = bcryptCost(stored);
  if (cost !== null) return 2 ** cost * 60;
  const parsed = parseScrypt(stored);
  return parsed === null ? 0 : (2 ** parsed.ln * parsed.r * parsed.p) / 3;
}
