// Dialogues of heartbeats: whole, byte by byte, and with answers that are wrong. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateKeyPairSync, privateDecrypt, constants } from 'node:crypto';
import { CassandraDialogue } from '../../../../health/checkers/cassandra-check.ts';
import type { HeartbeatResult } from '../../../../health/checkers/checker.ts';
import type { Dialogue } from '../../../../health/checkers/dialogue-check.ts';
import { MysqlDialogue } from '../../../../health/checkers/mysql-check.ts';
import { packetOf } from '../../../../health/checkers/mysql-packet.ts';
import { PostgresDialogue } from '../../../../health/checkers/postgres-check.ts';
import { RedisDialogue } from '../../../../health/checkers/redis-check.ts';
import { loginSettings, type Role } from '../../../../health/checkers/role.ts';
import { ScramClient } from '../../../../health/checkers/scram.ts';
import { ScriptDialogue } from '../../../../health/checkers/script-check.ts';

type Answer = string | Buffer | ((sent: Buffer) => Buffer);

interface Outcome {
  readonly result: HeartbeatResult | null;
  readonly sent: readonly Buffer[];
}

/** Plays a server's answers, in pieces of `size` bytes; each one but the first after the client has sent something. */
function play(dialogue: Dialogue, answers: readonly Answer[], size: number): Outcome {
  const sent: Buffer[] = [Buffer.from(dialogue.open())];
  let held = Buffer.alloc(0);
  for (const answer of answers) {
    const bytes = typeof answer === 'function' ? answer(sent.at(-1)!) : Buffer.from(answer as string, 'latin1');
    for (let at = 0; at < bytes.length; at += size) {
      held = Buffer.concat([held, bytes.subarray(at, at + size)]);
      for (let step = dialogue.receive(held); step !== null; step = dialogue.receive(held)) {
        held = held.subarray(step.used);
        if (step.send !== undefined && step.send.length > 0) sent.push(Buffer.from(step.send));
        if (step.result !== undefined) return { result: step.result, sent };
      }
    }
  }
  return { result: null, sent };
}

interface Case {
  readonly title: string;
  readonly dialogue: () => Dialogue;
  readonly answers: readonly Answer[];
  readonly expected: HeartbeatResult | null;
}

const login = (expectRole?: Role, password?: string, user?: string) => loginSettings({ user, password, expectRole });
const ok = (cause: string): HeartbeatResult => ({ kind: 'ok', cause });
const fail = (cause: string): HeartbeatResult => ({ kind: 'fail', cause });
const wrong = (cause: string): HeartbeatResult => ({ kind: 'fail', cause, isWrongRole: true });

// ---- Redis

const redis =
  (...given: Parameters<typeof login>) =>
  () =>
    new RedisDialogue(login(...given));
const MASTER = '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n';
const SLAVE = '*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:14\r\n';

const REDIS: readonly Case[] = [
  { title: 'PING', dialogue: redis(), answers: ['+PONG\r\n'], expected: ok('answered') },
  {
    title: 'PING after AUTH',
    dialogue: redis(undefined, 'x'),
    answers: ['+OK\r\n', '+PONG\r\n'],
    expected: ok('answered'),
  },
  {
    title: 'a wrong password',
    dialogue: redis(undefined, 'x'),
    answers: ['-WRONGPASS no\r\n'],
    expected: fail('got WRONGPASS no'),
  },
  {
    title: 'a password that is missing',
    dialogue: redis(),
    answers: ['-NOAUTH needed\r\n'],
    expected: fail('got NOAUTH needed'),
  },
  {
    title: 'a server that is loading',
    dialogue: redis(),
    answers: ['-LOADING wait\r\n'],
    expected: fail('got LOADING wait'),
  },
  { title: 'a primary', dialogue: redis('primary'), answers: [MASTER], expected: ok('is a primary') },
  {
    title: 'a replica in place of a primary',
    dialogue: redis('primary'),
    answers: [SLAVE],
    expected: wrong('is a replica'),
  },
  { title: 'a replica', dialogue: redis('replica'), answers: [SLAVE], expected: ok('is a replica') },
  {
    title: 'a sentinel',
    dialogue: redis('primary'),
    answers: ['*2\r\n$8\r\nsentinel\r\n*0\r\n'],
    expected: fail('is a sentinel'),
  },
  { title: 'HTTP', dialogue: redis(), answers: ['HTTP/1.1 400\r\n'], expected: fail('a malformed answer') },
  {
    title: 'a line without an end',
    dialogue: redis(),
    answers: ['x'.repeat(2000)],
    expected: fail('a malformed answer'),
  },
];

// ---- Cassandra

const cassandra = () => new CassandraDialogue();
const frame = (opcode: number, body: string): Buffer =>
  Buffer.concat([Buffer.from([0x84, 0, 0, 0, opcode, 0, 0, 0, body.length]), Buffer.from(body, 'latin1')]);

const CASSANDRA: readonly Case[] = [
  { title: 'SUPPORTED', dialogue: cassandra, answers: [frame(6, '\0\0')], expected: ok('answered') },
  { title: 'ERROR', dialogue: cassandra, answers: [frame(0, '\0\0\0\x0a\0\x03bad')], expected: fail('got bad') },
  { title: 'READY', dialogue: cassandra, answers: [frame(2, '')], expected: fail('got opcode 2') },
  {
    title: 'another protocol',
    dialogue: cassandra,
    answers: ['HTTP/1.1 400 Bad Request\r\n'],
    expected: fail('a malformed answer'),
  },
];

// ---- PostgreSQL

const postgres =
  (...given: Parameters<typeof login>) =>
  () =>
    new PostgresDialogue({ ...login(...given), database: '' }, 'nonce');
const pg = (type: string, body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body as string, 'latin1');
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const READY = pg('Z', 'I');
const AUTH_OK = Buffer.concat([
  pg('R', '\0\0\0\0'),
  pg('S', 'server_version\x0015\0'),
  pg('K', '\0\0\0\x01\0\0\0\x02'),
  READY,
]);
const row = (value: string): Buffer =>
  Buffer.concat([pg('T', '\0\x01'), pg('D', `\0\x01\0\0\0\x01${value}`), pg('C', 'SELECT 1\0'), READY]);

const POSTGRES: readonly Case[] = [
  { title: 'trust', dialogue: postgres(), answers: [AUTH_OK, row('f')], expected: ok('is a primary') },
  { title: 'a primary', dialogue: postgres('primary'), answers: [AUTH_OK, row('f')], expected: ok('is a primary') },
  {
    title: 'a standby in place of a primary',
    dialogue: postgres('primary'),
    answers: [AUTH_OK, row('t')],
    expected: wrong('is a replica'),
  },
  {
    title: 'a request for a password, without one and without a role',
    dialogue: postgres(),
    answers: [pg('R', '\0\0\0\x0a')],
    expected: ok('answered'),
  },
  {
    title: 'a request for a password, without one',
    dialogue: postgres('primary'),
    answers: [pg('R', '\0\0\0\x0aSCRAM-SHA-256\0\0')],
    expected: fail('a password is required: set heartbeat.password'),
  },
  {
    title: 'MD5',
    dialogue: postgres('primary', 'secret', 'app'),
    answers: [
      pg('R', '\0\0\0\x05\x01\x02\x03\x04'),
      (sent) => {
        assert.equal(sent.toString('latin1', 5), 'md5911f527656472583a006e7727877b33e\0');
        return AUTH_OK;
      },
      row('f'),
    ],
    expected: ok('is a primary'),
  },
  {
    title: 'a server that is starting',
    dialogue: postgres(),
    answers: [pg('E', 'SFATAL\0C57P03\0Mthe database system is starting up\0\0')],
    expected: fail('got the database system is starting up (57P03)'),
  },
  {
    title: 'another protocol',
    dialogue: postgres(),
    answers: ['HTTP/1.1 400 Bad Request\r\n'],
    expected: fail('an answer that is not PostgreSQL'),
  },
];

// ---- MySQL

const mysql =
  (...given: Parameters<typeof login>) =>
  () =>
    new MysqlDialogue(login(...given));
const NONCE = Buffer.from('0123456789abcdefghij', 'latin1');
const greeting = (plugin: string): Buffer =>
  packetOf(
    0,
    Buffer.concat([
      Buffer.from('\n8.0.35\0', 'latin1'),
      Buffer.from([1, 0, 0, 0]),
      NONCE.subarray(0, 8),
      Buffer.from([0, 0xff, 0xf7, 45, 2, 0, 0xff, 0x81, 21]),
      Buffer.alloc(10),
      NONCE.subarray(8),
      Buffer.from(`\0${plugin}\0`),
    ]),
  );
const error = (sequence: number, code: number, text: string): Buffer =>
  packetOf(sequence, Buffer.concat([Buffer.from([0xff, code & 255, code >> 8]), Buffer.from(`#HY000${text}`)]));
const LOGGED_IN = packetOf(2, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
const answer = (value: string): Buffer =>
  Buffer.concat([
    packetOf(1, Buffer.from([1])),
    packetOf(2, Buffer.from('\x03def', 'latin1')),
    packetOf(3, Buffer.from([0xfe, 0, 0, 2, 0])),
    packetOf(4, Buffer.from(`\x01${value}`, 'latin1')),
    packetOf(5, Buffer.from([0xfe, 0, 0, 2, 0])),
  ]);
const NATIVE = greeting('mysql_native_password');
const SHA2 = greeting('caching_sha2_password');
const KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLIC_KEY = KEYS.publicKey.export({ type: 'spki', format: 'pem' }) as string;

/** Checks the password that was encrypted for the server, and accepts it. */
const acceptEncrypted = (sent: Buffer): Buffer => {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const plain = privateDecrypt({ key: KEYS.privateKey, padding }, sent.subarray(4));
  assert.equal(Buffer.from(plain.map((byte, at) => byte ^ NONCE[at % 20]!)).toString('latin1'), 'secret\0');
  return LOGGED_IN;
};

const MYSQL: readonly Case[] = [
  { title: 'the handshake, without a user', dialogue: mysql(), answers: [NATIVE], expected: ok('answered') },
  {
    title: 'a primary',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [NATIVE, LOGGED_IN, answer('0')],
    expected: ok('is a primary'),
  },
  {
    title: 'a replica in place of a primary',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [NATIVE, LOGGED_IN, answer('1')],
    expected: wrong('is a replica'),
  },
  {
    title: 'a user without a password',
    dialogue: mysql(undefined, undefined, 'u'),
    answers: [NATIVE, LOGGED_IN, answer('1')],
    expected: ok('is a replica'),
  },
  {
    title: 'caching_sha2_password, known to the server',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [SHA2, packetOf(2, Buffer.from([1, 3])), LOGGED_IN, answer('0')],
    expected: ok('is a primary'),
  },
  {
    title: 'caching_sha2_password, unknown to the server',
    dialogue: mysql('primary', 'secret', 'u'),
    answers: [
      SHA2,
      packetOf(2, Buffer.from([1, 4])),
      packetOf(4, Buffer.from(`\x01${PUBLIC_KEY}`)),
      acceptEncrypted,
      answer('0'),
    ],
    expected: ok('is a primary'),
  },
  {
    title: 'a switch of the plugin',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [
      SHA2,
      packetOf(2, Buffer.concat([Buffer.from('\xfemysql_native_password\0', 'latin1'), NONCE, Buffer.from([0])])),
      LOGGED_IN,
      answer('0'),
    ],
    expected: ok('is a primary'),
  },
  {
    title: 'a switch to an unknown plugin',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [SHA2, packetOf(2, Buffer.from('\xfeauth_pam\0', 'latin1'))],
    expected: fail('an authentication that heartbeats do not have (auth_pam)'),
  },
  {
    title: 'too many connections',
    dialogue: mysql(),
    answers: [error(0, 1040, 'Too many connections')],
    expected: fail('got Too many connections (1040)'),
  },
  {
    title: 'a refused login',
    dialogue: mysql('primary', 'x', 'u'),
    answers: [NATIVE, error(2, 1045, 'Access denied')],
    expected: fail('got Access denied (1045)'),
  },
  {
    title: 'another protocol',
    dialogue: mysql(),
    answers: ['SSH-'.repeat(3_000_000)],
    expected: fail('an answer that is not MySQL'),
  },
];

// ---- scripts

const script =
  (...steps: readonly ({ send: string } | { expect: string })[]) =>
  () =>
    new ScriptDialogue({ steps });
const SMTP = script({ expect: '^220 ' }, { send: 'QUIT\r\n' }, { expect: '^221 ' });

const SCRIPTS: readonly Case[] = [
  {
    title: 'a greeting and an answer',
    dialogue: SMTP,
    answers: ['220 hello\r\n', '221 bye\r\n'],
    expected: ok('answered'),
  },
  {
    title: 'bytes to send at first',
    dialogue: script({ send: 'PING\r\n' }, { expect: '\\+PONG' }),
    answers: ['+PONG\r\n'],
    expected: ok('answered'),
  },
  { title: 'an answer that is incomplete', dialogue: SMTP, answers: ['220 hello\r\n', '22'], expected: null },
  {
    title: 'an endless answer',
    dialogue: SMTP,
    answers: ['5'.repeat(20_000)],
    expected: fail('an answer without ^220 '),
  },
];

for (const [name, cases] of Object.entries({
  redis: REDIS,
  cassandra: CASSANDRA,
  postgres: POSTGRES,
  mysql: MYSQL,
  script: SCRIPTS,
})) {
  describe(`the dialogue of ${name}`, () => {
    for (const { title, dialogue, answers, expected } of cases) {
      const isLong = answers.some((one) => typeof one !== 'function' && one.length > 100_000);
      for (const size of isLong ? [65_536] : [1, 2, 7, 65_536]) {
        test(`${title}, in pieces of ${size}`, () => {
          assert.deepEqual(play(dialogue(), answers, size).result, expected);
        });
      }
    }
  });
}

test('SCRAM-SHA-256 as in RFC 7677', () => {
  const client = new ScramClient('pencil', 'rOprNGfwEbeRWgbNEkqO');
  assert.equal(client.first('user'), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
  const proof = 'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
  assert.equal(
    client.final(serverFirst, 'user'),
    `c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,${proof}`,
  );
  assert.ok(client.isServer('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
  assert.ok(!client.isServer('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
  assert.equal(client.final('r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'), null, 'a nonce of somebody else');
  assert.equal(client.final('r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=9999999'), null, 'too much work');
});
