// Passwords in a thread of their own: verdicts in any order, a bound on those that wait, and a thread that fails.
// Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PasswordVerifier } from '../../../../proxy/policies/passwords/password-verifier.ts';

/** Of "correct horse", cost 4. */
const BCRYPT = '$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2';

test('passwords are verified in another thread, and few wait', async () => {
  const verifier = new PasswordVerifier();
  const verdicts = ['correct horse', 'correct horsf'].map((password) => verifier.verify(password, BCRYPT));
  assert.deepEqual(await Promise.all(verdicts), [true, false]);
  const many = Array.from({ length: 32 }, () => verifier.verify('x', BCRYPT));
  assert.ok(verifier.isFull);
  await Promise.all(many);
  assert.ok(!verifier.isFull);
  // A job that cannot be cloned is rejected, and a later one is verified.
  await assert.rejects(verifier.verify(Symbol('x') as never, BCRYPT));
  assert.equal(await verifier.verify('correct horse', BCRYPT), true);
});
