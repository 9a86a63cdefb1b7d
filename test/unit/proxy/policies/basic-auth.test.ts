// Policy basic-auth: hashes, credentials, what endpoints get, failures of one client, and files. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { basicAuth } from '../../../../proxy/policies/basic-auth.ts';
import {
  checkPasswordHash,
  hashPassword,
  matchesPassword,
} from '../../../../proxy/policies/passwords/password-hash.ts';
import { type PlayedRequest, testPolicy } from '../../../../testing/policy-bench.ts';

/** Of "correct horse", cost 4. */
const BCRYPT = '$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2';
/** Of 72 times "x", cost 4. */
const LONG = '$2b$04$CCCCCCCCCCCCCCCCCCCCC.ug0A3dTXhy5U.dFjx/qguZ8I4CB77BC';
/** Of "Grüße", cost 5. */
const UMLAUTS = '$2b$05$L4qhTxL4iMSf8Z.5XjdLq.iqJm2/jIcPuujMLZRU.R2QgmRRWJhNS';
const SCRYPT = '$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0$';

function signIn(user: string, password: string, scheme = 'Basic'): PlayedRequest {
  return { fields: ['Authorization', `${scheme} ${Buffer.from(`${user}:${password}`).toString('base64')}`] };
}

const bench = (options: object, files?: Record<string, string>) =>
  testPolicy(basicAuth as never, { basicAuth: options }, files === undefined ? {} : { files });

describe('a stored password', () => {
  test('of bcrypt equals the vectors of other programs', () => {
    assert.ok(matchesPassword('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'));
    for (const prefix of ['$2a$', '$2b$', '$2y$']) {
      assert.ok(matchesPassword('correct horse', BCRYPT.replace('$2b$', prefix)));
      assert.ok(!matchesPassword('correct horsf', BCRYPT.replace('$2b$', prefix)));
    }
    assert.ok(matchesPassword('Grüße', UMLAUTS));
    // Bytes above the 72nd don't count, as everywhere.
    for (const end of ['', 'a', 'b']) assert.ok(matchesPassword('x'.repeat(72) + end, LONG));
    assert.ok(!matchesPassword('x'.repeat(71), LONG));
  });

  test('of scrypt is made and verified', () => {
    const stored = hashPassword('correct horse');
    assert.ok(checkPasswordHash(stored).ok);
    assert.ok(matchesPassword('correct horse', stored));
    assert.ok(!matchesPassword('correct horsf', stored));
  });

  for (const [stored, message] of [
    ['$apr1$abc$def', /MD5 \(apr1\) is too weak/],
    ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1 is too weak/],
    ['$6$salt$hash', /SHA-2 \(crypt\) is too weak/],
    ['secret', /no hash of a password that is supported: create one with fairlead hash-password/],
    [BCRYPT.replace('$04$', '$31$'), /cost of a bcrypt hash must be from 4 to 16/],
    ['$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ', /no hash/],
  ] as const) {
    test(`${stored.slice(0, 12)} is refused`, () => {
      const checked = checkPasswordHash(stored);
      assert.ok(!checked.ok);
      assert.match(checked.message, message);
      assert.ok(!checked.message.includes(stored));
    });
  }
});

describe('basic-auth', () => {
  const users = { alice: BCRYPT, bob: UMLAUTS };

  test('asks for credentials with its realm, and refuses what are none', async () => {
    const guarded = bench({ users, realm: 'the "staff"' });
    const { reply } = await guarded.request();
    assert.deepEqual(
      [reply?.status, reply?.field('www-authenticate')],
      [401, 'Basic realm="the \\"staff\\"", charset="UTF-8"'],
    );
    const wrong = [signIn('alice', 'x'), signIn('carol', 'correct horse'), signIn('alice', 'correct horse', 'Bearer')];
    const fields = ['Basic', 'Basic =', 'Basic YWxpY2U=', `Basic ${'A'.repeat(2000)}`].map((value) => ({
      fields: ['Authorization', value],
    }));
    for (const request of [...wrong, ...fields]) assert.equal((await guarded.request(request)).reply?.status, 401);
  });

  test('lets users in, whose password is verified once, and keeps Authorization from endpoints', async () => {
    const guarded = bench({ users, userField: 'X-User' });
    const requests = [
      signIn('alice', 'correct horse'),
      signIn('bob', 'Grüße'),
      signIn('alice', 'correct horse', 'bAsIc'),
    ];
    const sent = (await Promise.all(requests.map((request) => guarded.request(request)))).map((one) => one.sent);
    assert.deepEqual(
      sent.map((one) => [one?.field('authorization'), one?.field('x-user')]),
      [
        [undefined, 'alice'],
        [undefined, 'bob'],
        [undefined, 'alice'],
      ],
    );
    // Known by now: no promise, and so no wait.
    const forged = { fields: [...signIn('bob', 'Grüße').fields!, 'X-User', 'alice'] };
    assert.equal((await guarded.request(forged)).sent?.field('x-user'), 'bob');
    assert.equal(
      (await bench({ users, passOn: true }).request(signIn('bob', 'Grüße'))).sent?.field('authorization'),
      signIn('bob', 'Grüße').fields![1],
    );
  });

  test('limits the failures of one client, and of no other', async () => {
    const guarded = bench({ users });
    guarded.nowMs = 1_000_000;
    const statuses = new Set<number | undefined>();
    for (let guess = 0; guess < 24; guess += 1) {
      statuses.add((await guarded.request(signIn('alice', `guess ${guess}`))).reply?.status);
    }
    assert.deepEqual([...statuses], [401, 429]);
    assert.equal((await guarded.request(signIn('alice', 'guess 1'))).reply?.status, 401, 'known to be wrong');
    assert.equal(
      (await guarded.request({ ...signIn('alice', 'correct horse'), clientAddress: '198.51.100.1' })).reply,
      null,
    );
    assert.equal((await guarded.request(signIn('alice', 'correct horse'))).reply, null, 'known to be right');
    guarded.nowMs += 60_000;
    assert.equal((await guarded.request(signIn('alice', 'guess 99'))).reply?.status, 401);
  });

  test('reads a file, and reports its faulty lines without their hashes', async () => {
    const file = `# staff\nalice:${BCRYPT}\r\n\nbob:${UMLAUTS}\n`;
    const guarded = bench({ file: 'staff', users: { carol: BCRYPT } }, { staff: file });
    for (const [user, password] of [
      ['alice', 'correct horse'],
      ['bob', 'Grüße'],
      ['carol', 'correct horse'],
    ] as const) {
      assert.equal((await guarded.request(signIn(user, password))).reply, null, user);
    }
    const faulty = 'alice:$apr1$x$y\nno colon\n:x\n';
    assert.throws(
      () => bench({ file: 'staff' }, { staff: faulty }),
      (error: Error) => {
        assert.match(error.message, /staff line 1: MD5 \(apr1\) is too weak.*line 2: a line is NAME:HASH.*line 3/);
        return !error.message.includes('$apr1$x');
      },
    );
    assert.throws(() => bench({}), /needs users or a file/);
    assert.throws(() => bench({ users, userField: 'X-Forwarded-For' }), /cannot be set/);
    assert.throws(() => bench({ users: { 'a:b': BCRYPT } }), /no user name/);
    assert.throws(() => bench({ users: { a: `${SCRYPT}short` } }), /no hash/);
  });
});
