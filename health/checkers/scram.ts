// SCRAM-SHA-256 for clients (RFC 5802, RFC 7677), without channel binding. Pure but for the nonce. Thread: main.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** More would stall the main thread: PostgreSQL's default is 4096. */
const MAX_ITERATIONS = 100_000;
const NO_BINDING = 'n,,';

/** The salted password of the last logins: deriving it takes milliseconds, and salts change with passwords only. */
const salted = new Map<string, Buffer>();
const MAX_KEPT = 64;

export class ScramClient {
  readonly #password: string;
  readonly #nonce: string;
  #serverSignature: Buffer | null = null;

  constructor(password: string, nonce: string = randomBytes(18).toString('base64')) {
    this.#password = password;
    this.#nonce = nonce;
  }

  /** The client's first message. @param user '' where the protocol has given it already, as PostgreSQL's does */
  first(user = ''): string {
    return `${NO_BINDING}${this.#bare(user)}`;
  }

  /** The client's final message; null where the server's first one is malformed or asks for too much work. */
  final(serverFirst: string, user = ''): string | null {
    const parts = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,7})$/.exec(serverFirst);
    if (parts === null) return null;
    const [, nonce = '', salt = '', count = ''] = parts;
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce) || iterations < 1 || iterations > MAX_ITERATIONS) return null;
    const withoutProof = `c=${Buffer.from(NO_BINDING).toString('base64')},r=${nonce}`;
    const message = `${this.#bare(user)},${serverFirst},${withoutProof}`;
    const key = saltedPassword(this.#password, salt, iterations);
    const clientKey = hmac(key, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    this.#serverSignature = hmac(hmac(key, 'Server Key'), message);
    const proof = clientKey.map((byte, at) => byte ^ signature[at]!);
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Whether the server's final message proves that it knows the password too. */
  isServer(serverFinal: string): boolean {
    const signature = /^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1];
    if (signature === undefined || this.#serverSignature === null) return false;
    const given = Buffer.from(signature, 'base64');
    return given.length === this.#serverSignature.length && timingSafeEqual(given, this.#serverSignature);
  }

  #bare(user: string): string {
    return `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`;
  }
}

function saltedPassword(password: string, salt: string, iterations: number): Buffer {
  const id = createHash('sha256')
    .update(JSON.stringify([password, salt, iterations]))
    .digest('base64');
  let key = salted.get(id);
  if (key === undefined) {
    if (salted.size >= MAX_KEPT) salted.clear();
    key = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    salted.set(id, key);
  }
  return key;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
