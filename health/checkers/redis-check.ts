// The Redis heartbeat: AUTH where there is a password, then PING, or ROLE where a role is expected (RESP2). Also for Valkey
// and KeyDB. Thread: main.

import { defineChecker, type HeartbeatResult } from './checker.ts';
import { type Dialogue, type DialogueStep, failed, PASSED, runDialogue } from './dialogue-check.ts';
import { judgeRole, loginOptions, type LoginSettings, loginSettings, roleOption } from './role.ts';

const CRLF = '\r\n';
/** Length of a line that no reply of these commands exceeds. */
const MAX_LINE = 1024;

export class RedisDialogue implements Dialogue {
  readonly #settings: LoginSettings;
  #isLoggedIn: boolean;

  constructor(settings: LoginSettings) {
    this.#settings = settings;
    this.#isLoggedIn = settings.secrets.password === '';
  }

  open(): Uint8Array {
    const { user, secrets } = this.#settings;
    if (this.#isLoggedIn) return this.#question();
    return command(user === '' ? ['AUTH', secrets.password] : ['AUTH', user, secrets.password]);
  }

  receive(bytes: Buffer): DialogueStep | null {
    const line = lineIn(bytes, 0);
    if (line === null) return bytes.length > MAX_LINE ? { used: 0, result: failed('a malformed answer') } : null;
    const used = line.length + CRLF.length;
    if (line.startsWith('-')) return { used, result: failed(`got ${line.slice(1, 100)}`) };
    if (!this.#isLoggedIn) {
      if (line !== '+OK') return { used, result: failed('a malformed answer') };
      this.#isLoggedIn = true;
      return { used, send: this.#question() };
    }
    if (this.#settings.role === '') return { used, result: line === '+PONG' ? PASSED : failed('a malformed answer') };
    const role = roleIn(bytes, line);
    return role === null ? null : { used: bytes.length, result: this.#judge(role) };
  }

  #question(): Uint8Array {
    return command([this.#settings.role === '' ? 'PING' : 'ROLE']);
  }

  #judge(role: string): HeartbeatResult {
    if (role === 'master') return judgeRole('primary', this.#settings);
    return role === 'slave' ? judgeRole('replica', this.#settings) : failed(`is a ${role.slice(0, 20)}`);
  }
}

function command(words: readonly string[]): Uint8Array {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`);
  return Buffer.from(`*${words.length}${CRLF}${parts.join('')}`);
}

/** A line without its end; null where it isn't whole. */
function lineIn(bytes: Buffer, start: number): string | null {
  const end = bytes.indexOf(CRLF, start, 'latin1');
  return end < 0 ? null : bytes.toString('latin1', start, end);
}

/** The first string of an array, which is the role; null where it isn't whole, '' where there is none. */
function roleIn(bytes: Buffer, head: string): string | null {
  if (!/^\*[1-9]\d{0,3}$/.test(head)) return '';
  const start = head.length + CRLF.length;
  const size = lineIn(bytes, start);
  if (size === null) return null;
  if (!/^\$\d{1,3}$/.test(size)) return '';
  return lineIn(bytes, start + size.length + CRLF.length);
}

export const redis = defineChecker({
  name: 'redis',
  options: ({ z }) => ({ ...loginOptions(z), expectRole: roleOption(z) }),
  compile: loginSettings,
  run: (target, done) => runDialogue(target, new RedisDialogue(target.heartbeat), done),
  describe: ({ role }) => (role === '' ? 'Redis PING' : `Redis ROLE ${role}`),
  covers: () => true,
});
