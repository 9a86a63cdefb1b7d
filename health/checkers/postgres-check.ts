// The PostgreSQL heartbeat: startup, login (trust, password, MD5, SCRAM-SHA-256) and `SELECT pg_is_in_recovery()` (protocol
// version 3.0, PostgreSQL manual chapter 54). Thread: main.

import { createHash } from 'node:crypto';
import { defineChecker, type HeartbeatResult } from './checker.ts';
import { type Dialogue, type DialogueStep, failed, PASSED, runDialogue } from './dialogue-check.ts';
import { judgeRole, loginOptions, type LoginSettings, loginSettings, roleOption } from './role.ts';
import { ScramClient } from './scram.ts';

export interface PostgresSettings extends LoginSettings {
  /** '' for the name of the user. */
  readonly database: string;
}

const PROTOCOL_3_0 = 196_608;
const DEFAULT_USER = 'postgres';
const HEADER_BYTES = 5;
const MAX_MESSAGE_BYTES = 16_384;
/** Codes of Authentication messages. */
const AUTH = { ok: 0, clearText: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;
const MECHANISM = 'SCRAM-SHA-256';
const TERMINATE = message('X', Buffer.alloc(0));

export class PostgresDialogue implements Dialogue {
  readonly #settings: PostgresSettings;
  readonly #scram: ScramClient;
  #isLoggedIn = false;
  #result: HeartbeatResult | null = null;

  constructor(settings: PostgresSettings, nonce?: string) {
    this.#settings = settings;
    this.#scram = new ScramClient(settings.secrets.password, nonce);
  }

  open(): Uint8Array {
    const { database } = this.#settings;
    const user = this.#user;
    const names = ['user', user, 'database', database === '' ? user : database, 'application_name', 'fairlead'];
    const text = Buffer.from(`${names.join('\0')}\0\0`);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(head.length + text.length, 0);
    head.writeUInt32BE(PROTOCOL_3_0, 4);
    return Buffer.concat([head, text]);
  }

  receive(bytes: Buffer): DialogueStep | null {
    if (bytes.length < HEADER_BYTES) return null;
    const size = bytes.readUInt32BE(1);
    if (size < 4 || size > MAX_MESSAGE_BYTES) return { used: 0, result: failed('an answer that is not PostgreSQL') };
    const used = 1 + size;
    if (bytes.length < used) return null;
    return { used, ...this.#take(String.fromCharCode(bytes[0]!), bytes.subarray(HEADER_BYTES, used)) };
  }

  get #user(): string {
    return this.#settings.user === '' ? DEFAULT_USER : this.#settings.user;
  }

  #take(type: string, body: Buffer): Omit<DialogueStep, 'used'> {
    switch (type) {
      case 'R':
        return this.#authenticate(body);
      case 'E':
        return { send: TERMINATE, result: failed(`got ${errorText(body)}`) };
      case 'D':
        this.#result = this.#judge(body);
        return {};
      case 'Z':
        return this.#ready();
      default:
        return {};
    }
  }

  /** ReadyForQuery comes after the login, and after the answer to the query. */
  #ready(): Omit<DialogueStep, 'used'> {
    if (this.#isLoggedIn) return { send: TERMINATE, result: this.#result ?? failed('a malformed answer') };
    this.#isLoggedIn = true;
    return { send: message('Q', zeroEnded('SELECT pg_is_in_recovery()')) };
  }

  #authenticate(body: Buffer): Omit<DialogueStep, 'used'> {
    const code = body.readUInt32BE(0);
    if (code === AUTH.ok) return {};
    const { secrets, role } = this.#settings;
    if (secrets.password === '') {
      if (role === '') return { send: TERMINATE, result: PASSED };
      return { result: failed('a password is required: set heartbeat.password') };
    }
    switch (code) {
      case AUTH.clearText:
        return { send: message('p', zeroEnded(secrets.password)) };
      case AUTH.md5:
        return { send: message('p', zeroEnded(md5Answer(this.#user, secrets.password, body.subarray(4, 8)))) };
      case AUTH.sasl:
        return this.#beginScram(body.toString('latin1', 4).split('\0'));
      case AUTH.saslContinue: {
        const final = this.#scram.final(body.toString('utf8', 4));
        return final === null
          ? { result: failed('a malformed SCRAM message') }
          : { send: message('p', Buffer.from(final)) };
      }
      case AUTH.saslFinal:
        return this.#scram.isServer(body.toString('utf8', 4))
          ? {}
          : { result: failed('a server that does not know the password') };
      default:
        return { result: failed(`an authentication that heartbeats do not have (${code})`) };
    }
  }

  #beginScram(mechanisms: readonly string[]): Omit<DialogueStep, 'used'> {
    if (!mechanisms.includes(MECHANISM)) return { result: failed(`an authentication without ${MECHANISM}`) };
    const first = Buffer.from(this.#scram.first());
    const length = Buffer.alloc(4);
    length.writeUInt32BE(first.length);
    return { send: message('p', Buffer.concat([zeroEnded(MECHANISM), length, first])) };
  }

  /** A row of one column: `t` or `f`. */
  #judge(body: Buffer): HeartbeatResult {
    const isOne = body.readUInt16BE(0) === 1 && body.readInt32BE(2) === 1;
    const value = isOne ? String.fromCharCode(body.readUInt8(6)) : '';
    if (value !== 't' && value !== 'f') return failed('a malformed answer');
    return judgeRole(value === 't' ? 'replica' : 'primary', this.#settings);
  }
}

function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function md5Answer(user: string, password: string, salt: Buffer): string {
  const inner = createHash('md5').update(`${password}${user}`).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

/** The message and the SQLSTATE of an ErrorResponse. */
function errorText(body: Buffer): string {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return `${fields.get('M')?.slice(0, 120) ?? 'an error'} (${fields.get('C') ?? ''})`;
}

export const postgres = defineChecker({
  name: 'postgres',
  options: ({ z }) => ({
    ...loginOptions(z),
    database: z
      .string()
      .min(1)
      .max(128)
      .meta({ expects: 'a name', example: 'postgres' })
      .describe("With `postgres`: the database; the user's name if absent.")
      .optional(),
    expectRole: roleOption(z),
  }),
  compile: ({ database = '', ...login }): PostgresSettings => ({ ...loginSettings(login), database }),
  run: (target, done) => runDialogue(target, new PostgresDialogue(target.heartbeat), done),
  describe: ({ role }) => (role === '' ? 'PostgreSQL login' : `PostgreSQL ${role}`),
  covers: () => true,
});
